#include "encoder_tables.h"

#if BASIS_X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define LEVEL_NAME "avx2"
#define LEVEL_TABLE basis_encoder_avx2
#define PREFERS_FIXED 0
#include "vectors_avx2.h"

typedef __m256i I;

OPERATION V v_mul(V a, V b) { return _mm256_mul_ps(a, b); }
OPERATION V v_max(V a, V b) { return _mm256_max_ps(a, b); }
OPERATION V v_min(V a, V b) { return _mm256_min_ps(a, b); }
OPERATION V v_abs(V v) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), v); }
OPERATION V v_round(V v) {
  return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
OPERATION V v_divide(V a, V b) { return _mm256_div_ps(a, b); }
OPERATION V v_power(V n) {
  __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
}
OPERATION float v_sum(V v) {
  __m128 x = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  x = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}
OPERATION float v_largest(V v) {
  __m128 x = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  x = _mm_max_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)));
}

OPERATION I i_zero(void) { return _mm256_setzero_si256(); }
OPERATION I i_load(const int16_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
OPERATION I i_pair(const int16_t *p) { return _mm256_broadcastd_epi32(_mm_loadu_si32(p)); }
OPERATION I i_dot(I sum, I a, I b) { return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)); }
OPERATION V i_float(I v) { return _mm256_cvtepi32_ps(v); }
OPERATION __m128i i_narrow(V v) {
  I wide = _mm256_cvtps_epi32(v);
  return _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
}
OPERATION void i_store_narrow(int16_t *p, V v) { _mm_storeu_si128((__m128i *)p, i_narrow(v)); }
OPERATION void i_store_narrow_first(int16_t *p, V v, size_t count) {
  int16_t numbers[8];
  _mm_storeu_si128((__m128i *)numbers, i_narrow(v));
  for (size_t i = 0; i < count; i++) p[i] = numbers[i];
}

#include "encoder_body.h"

#endif
