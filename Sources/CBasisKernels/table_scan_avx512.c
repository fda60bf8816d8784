#include "table_scan_tables.h"

#if BASIS_X86_64

#include <immintrin.h>
#include <string.h>

#define KERNEL \
  __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,bmi2"))) static

#include "table_scan_bmi.h"

// Adds four positions' halves of a register to each other: 8 sums of 16 bits.
KERNEL inline __attribute__((always_inline)) void store_sums(__m512i wide, uint16_t *out) {
  __m256i half = _mm256_add_epi16(_mm512_castsi512_si256(wide), _mm512_extracti64x4_epi64(wide, 1));
  __m128i sum = _mm_add_epi16(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  _mm_storeu_si128((__m128i *)out, sum);
}

KERNEL void scan(const uint8_t *blocks, size_t block_count, size_t positions,
                 const uint8_t *tables, uint16_t *out) {
  const __m512i low = _mm512_set1_epi8(15), zero = _mm512_setzero_si512();
  for (size_t block = 0; block < block_count; block++, blocks += 16 * positions, out += 32) {
    __m512i wide[4] = {zero, zero, zero, zero};
    for (size_t p = 0; p < positions;) {
      __m512i first = zero, second = zero;
      size_t end = p + 4 * STEPS_OF_BYTES;
      if (end > positions) end = positions;
      for (; p < end; p += 4) {
        __m512i codes = _mm512_loadu_si512(blocks + 16 * p);
        __m512i table = _mm512_loadu_si512(tables + 16 * p);
        first = _mm512_add_epi8(first, _mm512_shuffle_epi8(table, _mm512_and_si512(codes, low)));
        codes = _mm512_and_si512(_mm512_srli_epi16(codes, 4), low);
        second = _mm512_add_epi8(second, _mm512_shuffle_epi8(table, codes));
      }
      wide[0] = _mm512_add_epi16(wide[0], _mm512_unpacklo_epi8(first, zero));
      wide[1] = _mm512_add_epi16(wide[1], _mm512_unpackhi_epi8(first, zero));
      wide[2] = _mm512_add_epi16(wide[2], _mm512_unpacklo_epi8(second, zero));
      wide[3] = _mm512_add_epi16(wide[3], _mm512_unpackhi_epi8(second, zero));
    }
    for (int i = 0; i < 4; i++) store_sums(wide[i], out + 8 * i);
  }
}

KERNEL void unpack(const uint8_t *stream, size_t n, int bits, int8_t *out) {
  size_t i = 0;
  switch (bits) {
    case 1:
      for (; i + 64 <= n; i += 64, stream += 8) {
        uint64_t set;
        memcpy(&set, stream, 8);
        _mm512_storeu_si512(out + i, _mm512_maskz_set1_epi8(set, 1));
      }
      break;
    case 2:
      for (; i + 64 <= n; i += 64, stream += 16) {
        __m512i x = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)stream));
        x = _mm512_or_si512(x, _mm512_slli_epi32(x, 12));
        x = _mm512_or_si512(x, _mm512_slli_epi32(x, 6));
        _mm512_storeu_si512(out + i, _mm512_and_si512(x, _mm512_set1_epi8(3)));
      }
      break;
    case 4:
      for (; i + 64 <= n; i += 64, stream += 32) {
        __m512i x = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)stream));
        x = _mm512_or_si512(x, _mm512_slli_epi16(x, 4));
        _mm512_storeu_si512(out + i, _mm512_and_si512(x, _mm512_set1_epi8(15)));
      }
      break;
    default:
      break;
  }
  unpack_by_eights(stream, n - i, bits, out + i);
}

KERNEL void sum_at_bits_rows(const float *query, const uint8_t *rows, size_t row_count,
                             size_t stride, size_t n, float *out) {
  for (size_t r = 0; r < row_count; r++) {
    const uint8_t *row = rows + r * stride;
    __m512 even = _mm512_setzero_ps(), odd = _mm512_setzero_ps();
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
      uint32_t set;
      memcpy(&set, row + (i >> 3), 4);
      even = _mm512_mask_add_ps(even, (__mmask16)set, even, _mm512_loadu_ps(query + i));
      odd = _mm512_mask_add_ps(odd, (__mmask16)(set >> 16), odd, _mm512_loadu_ps(query + i + 16));
    }
    if (i < n) {
      uint32_t set = 0;
      memcpy(&set, row + (i >> 3), (n - i + 7) >> 3);
      set &= 0xFFFFFFFFu >> (32 - (n - i));
      even = _mm512_add_ps(even, _mm512_maskz_loadu_ps((__mmask16)set, query + i));
      odd = _mm512_add_ps(odd, _mm512_maskz_loadu_ps((__mmask16)(set >> 16), query + i + 16));
    }
    out[r] = _mm512_reduce_add_ps(_mm512_add_ps(even, odd));
  }
}

const basis_table_scan_table basis_table_scan_avx512 = {"avx512", scan, unpack, sum_at_bits_rows};

#endif
