// 512 bits, with VNNI.
#include "graph_tables.h"

#if BASIS_X86

#include <immintrin.h>
#include <string.h>

#define TARGET \
  __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx512vnni,avx2,fma,popcnt")))
#define LEVEL_NAME "avx512"
#define LEVEL_TABLE basis_graph_avx512
#define OPERATION TARGET static inline __attribute__((always_inline))

OPERATION __m512i byte_dot(__m512i sum, __m512i unsigned_bytes, __m512i signed_bytes) {
  return _mm512_dpbusd_epi32(sum, unsigned_bytes, signed_bytes);
}

typedef __m512i I;

OPERATION void sum4(const I *v, int32_t *out) {
  I ab = _mm512_add_epi32(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
  I cd = _mm512_add_epi32(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
  I all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
  __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
  _mm_storeu_si128((__m128i *)out, _mm_add_epi32(_mm256_castsi256_si128(half),
                                                 _mm256_extracti128_si256(half, 1)));
}

OPERATION void dots(const int8_t *query, const uint8_t *const *rows, size_t width,
                    int32_t *out) {
  I sums[4];
  I q = _mm512_loadu_si512(query);
  for (int r = 0; r < 4; r++) sums[r] = byte_dot(_mm512_setzero_si512(), _mm512_loadu_si512(rows[r]), q);
  for (size_t i = 64; i < width; i += 64) {
    q = _mm512_loadu_si512(query + i);
    for (int r = 0; r < 4; r++) sums[r] = byte_dot(sums[r], _mm512_loadu_si512(rows[r] + i), q);
  }
  sum4(sums, out);
}

// Products of the query's bytes and a row's pairs of bits, 0 to 3.
OPERATION void pair_dots(const int8_t *query, const uint8_t *const *rows, size_t width,
                         int32_t *out) {
  I sums[4], three = _mm512_set1_epi8(3);
  for (int r = 0; r < 4; r++) sums[r] = _mm512_setzero_si512();
  size_t i = 0;
  for (; i + 256 <= width; i += 256) {
    I q0 = _mm512_loadu_si512(query + i), q1 = _mm512_loadu_si512(query + i + 64);
    I q2 = _mm512_loadu_si512(query + i + 128), q3 = _mm512_loadu_si512(query + i + 192);
    for (int r = 0; r < 4; r++) {
      I v = _mm512_loadu_si512(rows[r] + i / 4);
      sums[r] = byte_dot(sums[r], _mm512_and_si512(v, three), q0);
      sums[r] = byte_dot(sums[r], _mm512_and_si512(_mm512_srli_epi16(v, 2), three), q1);
      sums[r] = byte_dot(sums[r], _mm512_and_si512(_mm512_srli_epi16(v, 4), three), q2);
      sums[r] = byte_dot(sums[r], _mm512_and_si512(_mm512_srli_epi16(v, 6), three), q3);
    }
  }
  if (width - i >= 128) {
    I low = _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(2), 1);
    I high = _mm512_add_epi16(low, _mm512_set1_epi16(4));
    I q0 = _mm512_loadu_si512(query + i), q1 = _mm512_loadu_si512(query + i + 64);
    for (int r = 0; r < 4; r++) {
      I v = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)(rows[r] + i / 4)));
      sums[r] = byte_dot(sums[r], _mm512_and_si512(_mm512_srlv_epi16(v, low), three), q0);
      sums[r] = byte_dot(sums[r], _mm512_and_si512(_mm512_srlv_epi16(v, high), three), q1);
    }
    i += 128;
  }
  if (width - i >= 64) {
    I shifts = _mm512_set_epi32(0x60006, 0x60006, 0x60006, 0x60006, 0x40004, 0x40004, 0x40004,
                                0x40004, 0x20002, 0x20002, 0x20002, 0x20002, 0, 0, 0, 0);
    I q = _mm512_loadu_si512(query + i);
    for (int r = 0; r < 4; r++) {
      I v = _mm512_broadcast_i64x2(_mm_loadu_si128((const __m128i *)(rows[r] + i / 4)));
      sums[r] = byte_dot(sums[r], _mm512_and_si512(_mm512_srlv_epi16(v, shifts), three), q);
    }
  }
  sum4(sums, out);
}

// Puts an entry into sorted ones, which have room for one more; where it is then.
OPERATION size_t insert(uint64_t *entries, size_t count, uint64_t entry) {
  I wanted = _mm512_set1_epi64((int64_t)entry);
  size_t i = count;
  for (; i >= 8; i -= 8) {
    I some = _mm512_loadu_si512(entries + i - 8);
    unsigned below = (unsigned)__builtin_popcount(_mm512_cmplt_epu64_mask(some, wanted));
    _mm512_mask_storeu_epi64(entries + i - 7, (__mmask8)(0xFF << below), some);
    if (below > 0) {
      entries[i - 8 + below] = entry;
      return i - 8 + below;
    }
  }
  __mmask8 lanes = (__mmask8)((1u << i) - 1);
  I some = _mm512_maskz_loadu_epi64(lanes, entries);
  unsigned below = (unsigned)__builtin_popcount(_mm512_mask_cmplt_epu64_mask(lanes, some, wanted));
  _mm512_mask_storeu_epi64(entries + 1, lanes & (__mmask8)(0xFF << below), some);
  entries[below] = entry;
  return below;
}

// Keys of four rows from their products and where their facts are. Loads one by one: gathering
// instructions are slow on processors that are protected from leaks through them.
OPERATION void keys4(const int32_t *dot, int factor, int32_t offset, float scale,
                     const float *const *facts, float *out) {
  __m128 ab = _mm_castpd_ps(_mm_loadh_pd(_mm_load_sd((const double *)facts[0]), (const double *)facts[1]));
  __m128 cd = _mm_castpd_ps(_mm_loadh_pd(_mm_load_sd((const double *)facts[2]), (const double *)facts[3]));
  __m128 factors = _mm_shuffle_ps(ab, cd, _MM_SHUFFLE(2, 0, 2, 0));
  __m128 biases = _mm_shuffle_ps(ab, cd, _MM_SHUFFLE(3, 1, 3, 1));
  __m128i product = _mm_loadu_si128((const __m128i *)dot);
  if (factor == 2) product = _mm_add_epi32(product, product);
  product = _mm_sub_epi32(product, _mm_set1_epi32(offset));
  __m128 part = _mm_mul_ps(factors, _mm_cvtepi32_ps(product));
  part = _mm_mul_ps(_mm_set1_ps(scale), part);
  _mm_storeu_ps(out, _mm_sub_ps(biases, part));
}

OPERATION size_t pick(const float *x, size_t count, float bound, uint32_t *out) {
  size_t kept = 0;
  for (size_t i = 0; i < count; i += 16) {
    __mmask16 lanes = (__mmask16)(count - i >= 16 ? 0xFFFF : (1u << (count - i)) - 1);
    __mmask16 below = _mm512_mask_cmp_ps_mask(lanes, _mm512_maskz_loadu_ps(lanes, x + i), _mm512_set1_ps(bound), _CMP_LE_OQ);
    I place = _mm512_add_epi32(_mm512_set1_epi32((int)i), _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    if (below) {
      _mm512_mask_compressstoreu_epi32(out + kept, below, place);
      kept += (size_t)__builtin_popcount(below);
    }
  }
  return kept;
}

OPERATION int32_t signed_codes(const basis_graph_rows *rows, uint32_t row, int8_t *out) {
  const uint8_t *bytes = rows->codes + row * rows->stride;
  I sum = _mm512_setzero_si512(), zero = _mm512_set1_epi8(-128);
  for (size_t i = 0; i < rows->width; i += 64) {
    size_t left = rows->dimension - i;
    __mmask64 lanes = left >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << left) - 1;
    I b = _mm512_mask_loadu_epi8(zero, lanes, bytes + i);
    sum = _mm512_add_epi64(sum, _mm512_sad_epu8(b, _mm512_setzero_si512()));
    _mm512_storeu_si512(out + i, _mm512_xor_si512(b, zero));
  }
  return (int32_t)(_mm512_reduce_add_epi64(sum) - 128 * (int64_t)rows->width);
}

OPERATION void tile_keys(const basis_graph_rows *members, const size_t *asking, size_t some,
                         size_t count, float *out) {
  size_t stride = members->stride, width = members->width;
  int8_t codes[4 * width];
  int32_t offsets[4];
  float scales[4];
  for (size_t q = 0; q < 4; q++) {
    size_t from = asking[q < some ? q : 0];
    offsets[q] = 128 * signed_codes(members, (uint32_t)from, codes + q * width);
    scales[q] = 2 * members->facts[from * members->facts_stride];
  }
  for (size_t m = 0; m < count; m += 4) {
    I sums[4][4];
    const uint8_t *rows[4];
    const float *facts[4];
    size_t here = count - m < 4 ? count - m : 4;
    for (size_t r = 0; r < 4; r++) {
      size_t at = m + (r < here ? r : 0);
      rows[r] = members->codes + at * stride;
      facts[r] = members->facts + at * members->facts_stride;
    }
#pragma clang loop unroll(full)
    for (int q = 0; q < 4; q++) {
#pragma clang loop unroll(full)
      for (int r = 0; r < 4; r++) sums[q][r] = _mm512_setzero_si512();
    }
    for (size_t i = 0; i < width; i += 64) {
      I row[4];
      for (int r = 0; r < 4; r++) row[r] = _mm512_loadu_si512(rows[r] + i);
#pragma clang loop unroll(full)
      for (int q = 0; q < 4; q++) {
        I code = _mm512_loadu_si512(codes + q * width + i);
#pragma clang loop unroll(full)
        for (int r = 0; r < 4; r++) sums[q][r] = byte_dot(sums[q][r], row[r], code);
      }
    }
    for (size_t q = 0; q < some; q++) {
      int32_t dot[4];
      float keys[4];
      sum4(sums[q], dot);
      keys4(dot, 1, offsets[q], scales[q], facts, keys);
      memcpy(out + q * count + m, keys, here * sizeof *keys);
    }
  }
}

#include "graph_body.h"

#endif
