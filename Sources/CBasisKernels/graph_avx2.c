#include "graph_tables.h"

#if BASIS_X86

#define TARGET __attribute__((target("avx2,popcnt")))
#define LEVEL_NAME "avx2"
#define LEVEL_TABLE basis_graph_avx2
#define OPERATION TARGET static inline __attribute__((always_inline))

#include <immintrin.h>

#define HAS_DOTS

typedef __m256i I;

OPERATION void sum4(const I *v, int32_t *out) {
  I sums = _mm256_hadd_epi32(_mm256_hadd_epi32(v[0], v[1]), _mm256_hadd_epi32(v[2], v[3]));
  _mm_storeu_si128((__m128i *)out, _mm_add_epi32(_mm256_castsi256_si128(sums),
                                                 _mm256_extracti128_si256(sums, 1)));
}

// Products of two bytes of 255 and 127 do not fit 16 bits: whole bytes are widened first.
OPERATION void dots(const int8_t *query, const uint8_t *const *rows, size_t width, int32_t *out) {
  I sums[4];
  for (int r = 0; r < 4; r++) sums[r] = _mm256_setzero_si256();
  for (size_t i = 0; i < width; i += 16) {
    I q = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(query + i)));
    for (int r = 0; r < 4; r++) {
      I row = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(rows[r] + i)));
      sums[r] = _mm256_add_epi32(sums[r], _mm256_madd_epi16(row, q));
    }
  }
  sum4(sums, out);
}

// Sums of two products of at most 3 and 128 fit 16 bits, even four of them together.
OPERATION I pair_products(I bytes, const int8_t *query, size_t step) {
  I three = _mm256_set1_epi8(3);
  I sum = _mm256_maddubs_epi16(_mm256_and_si256(bytes, three),
                               _mm256_loadu_si256((const I *)query));
  sum = _mm256_add_epi16(
      sum, _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(bytes, 2), three),
                                _mm256_loadu_si256((const I *)(query + step))));
  sum = _mm256_add_epi16(
      sum, _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(bytes, 4), three),
                                _mm256_loadu_si256((const I *)(query + 2 * step))));
  sum = _mm256_add_epi16(
      sum, _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(bytes, 6), three),
                                _mm256_loadu_si256((const I *)(query + 3 * step))));
  return _mm256_madd_epi16(sum, _mm256_set1_epi16(1));
}

OPERATION void pair_dots(const int8_t *query, const uint8_t *const *rows, size_t width,
                         int32_t *out) {
  I sums[4], three = _mm256_set1_epi8(3);
  for (int r = 0; r < 4; r++) sums[r] = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 256 <= width; i += 256) {
    for (int r = 0; r < 4; r++) {
      const I *bytes = (const I *)(rows[r] + i / 4);
      I low = pair_products(_mm256_loadu_si256(bytes), query + i, 64);
      I high = pair_products(_mm256_loadu_si256(bytes + 1), query + i + 32, 64);
      sums[r] = _mm256_add_epi32(sums[r], _mm256_add_epi32(low, high));
    }
  }
  if (width - i >= 128) {
    for (int r = 0; r < 4; r++) {
      I bytes = _mm256_loadu_si256((const I *)(rows[r] + i / 4));
      sums[r] = _mm256_add_epi32(sums[r], pair_products(bytes, query + i, 32));
    }
    i += 128;
  }
  if (width - i >= 64) {
    I first = _mm256_loadu_si256((const I *)(query + i));
    I second = _mm256_loadu_si256((const I *)(query + i + 32));
    I odd = _mm256_setr_epi64x(0, 0, 2, 2);
    for (int r = 0; r < 4; r++) {
      // Each half has its own quarter: shifted by 0 and 2, then by 4 and 6.
      I bytes = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(rows[r] + i / 4)));
      I low = _mm256_srlv_epi64(bytes, odd);
      I sum = _mm256_maddubs_epi16(_mm256_and_si256(low, three), first);
      sum = _mm256_add_epi16(
          sum, _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi64(low, 4), three), second));
      sums[r] = _mm256_add_epi32(sums[r], _mm256_madd_epi16(sum, _mm256_set1_epi16(1)));
    }
  }
  sum4(sums, out);
}

#include "graph_plain.h"
#include "graph_body.h"

#endif
