#include "table_scan_tables.h"

#if BASIS_X86_64

#include <immintrin.h>
#include <string.h>

#define KERNEL __attribute__((target("avx2,fma,bmi2"))) static

#include "table_scan_bmi.h"

KERNEL void scan(const uint8_t *blocks, size_t block_count, size_t positions,
                 const uint8_t *tables, uint16_t *out) {
  const __m256i low = _mm256_set1_epi8(15), zero = _mm256_setzero_si256();
  for (size_t block = 0; block < block_count; block++, blocks += 16 * positions, out += 32) {
    // Codes 0-7, 8-15, 16-23 and 24-31; the two halves of a register are of two positions.
    __m256i wide[4] = {zero, zero, zero, zero};
    for (size_t p = 0; p < positions;) {
      __m256i first = zero, second = zero;
      size_t end = p + 2 * STEPS_OF_BYTES;
      if (end > positions) end = positions;
      for (; p < end; p += 2) {
        __m256i codes = _mm256_loadu_si256((const __m256i *)(blocks + 16 * p));
        __m256i table = _mm256_loadu_si256((const __m256i *)(tables + 16 * p));
        first = _mm256_add_epi8(first, _mm256_shuffle_epi8(table, _mm256_and_si256(codes, low)));
        codes = _mm256_and_si256(_mm256_srli_epi16(codes, 4), low);
        second = _mm256_add_epi8(second, _mm256_shuffle_epi8(table, codes));
      }
      wide[0] = _mm256_add_epi16(wide[0], _mm256_unpacklo_epi8(first, zero));
      wide[1] = _mm256_add_epi16(wide[1], _mm256_unpackhi_epi8(first, zero));
      wide[2] = _mm256_add_epi16(wide[2], _mm256_unpacklo_epi8(second, zero));
      wide[3] = _mm256_add_epi16(wide[3], _mm256_unpackhi_epi8(second, zero));
    }
    for (int i = 0; i < 4; i++) {
      __m128i sum = _mm_add_epi16(_mm256_castsi256_si128(wide[i]),
                                  _mm256_extracti128_si256(wide[i], 1));
      _mm_storeu_si128((__m128i *)(out + 8 * i), sum);
    }
  }
}

KERNEL void sum_at_bits_rows(const float *query, const uint8_t *rows, size_t row_count,
                             size_t stride, size_t n, float *out) {
  const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  for (size_t r = 0; r < row_count; r++) {
    const uint8_t *row = rows + r * stride;
    __m256 sums[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
      for (int half = 0; half < 2; half++) {
        __m256i byte = _mm256_set1_epi32(row[(i >> 3) + half]);
        __m256i set = _mm256_cmpeq_epi32(_mm256_and_si256(byte, bits), bits);
        __m256 x = _mm256_loadu_ps(query + i + 8 * half);
        sums[half] = _mm256_add_ps(sums[half], _mm256_and_ps(x, _mm256_castsi256_ps(set)));
      }
    }
    __m256 sum = _mm256_add_ps(sums[0], sums[1]);
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    float total = _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
    for (; i < n; i++) {
      if (row[i >> 3] >> (i & 7) & 1) total += query[i];
    }
    out[r] = total;
  }
}

const basis_table_scan_table basis_table_scan_avx2 = {"avx2", scan, unpack_by_eights, sum_at_bits_rows};

#endif
