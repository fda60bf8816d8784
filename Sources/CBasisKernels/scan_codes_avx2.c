#include "scan_codes_tables.h"

#if BASIS_X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define INLINE TARGET static inline __attribute__((always_inline))
#define LEVEL_NAME "avx2"
#define LEVEL_TABLE basis_code_scan_avx2

#include "fastscan_sums_avx2.h"

#define W __m256i
#define WIDTH 2
#define w_zero _mm256_setzero_si256
#define w_load(p) _mm256_loadu_si256((const __m256i *)(p))
#define w_store(p, x) _mm256_storeu_si256((__m256i *)(p), x)
#define w_set _mm256_set1_epi32
#define w_even(x) _mm256_and_si256(x, _mm256_set1_epi16(255))
#define w_odd(x) _mm256_srli_epi16(x, 8)
#define w_signed_even(x) _mm256_srai_epi16(_mm256_slli_epi16(x, 8), 8)
#define w_signed_odd(x) _mm256_srai_epi16(x, 8)
#define w_add_products(sum, a, b) _mm256_add_epi32(sum, _mm256_madd_epi16(a, b))

#include "scan_codes_widened.h"

INLINE uint32_t mask_not_above(const float *scores, float bound) {
  __m256 most = _mm256_set1_ps(bound);
  __m256 low = _mm256_cmp_ps(_mm256_loadu_ps(scores), most, _CMP_LE_OQ);
  __m256 high = _mm256_cmp_ps(_mm256_loadu_ps(scores + 8), most, _CMP_LE_OQ);
  return (uint32_t)_mm256_movemask_ps(low) | (uint32_t)_mm256_movemask_ps(high) << 8;
}

#include "scan_codes_body.h"

#endif
