// Vectors of sixteen; the including file defines TARGET, the level's names and i_dot.
#include <immintrin.h>

#include "vectors_avx512.h"

typedef __m512i I;

OPERATION V v_mul(V a, V b) { return _mm512_mul_ps(a, b); }
OPERATION V v_max(V a, V b) { return _mm512_max_ps(a, b); }
OPERATION V v_min(V a, V b) { return _mm512_min_ps(a, b); }
OPERATION V v_abs(V v) { return _mm512_abs_ps(v); }
OPERATION V v_round(V v) {
  return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
// An estimate of 14 bits and one step of Newton's: faster than the division, and as exact as the
// polynomials around it.
OPERATION V v_divide(V a, V b) {
  V x = _mm512_rcp14_ps(b);
  x = _mm512_mul_ps(x, _mm512_fnmadd_ps(b, x, _mm512_set1_ps(2)));
  return _mm512_mul_ps(a, x);
}
OPERATION V v_power(V n) {
  __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
  return _mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23));
}
OPERATION float v_sum(V v) {
  __m256 y = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
  __m128 x = _mm_add_ps(_mm256_castps256_ps128(y), _mm256_extractf128_ps(y, 1));
  x = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}
OPERATION float v_largest(V v) {
  __m256 y = _mm256_max_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
  __m128 x = _mm_max_ps(_mm256_castps256_ps128(y), _mm256_extractf128_ps(y, 1));
  x = _mm_max_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)));
}

OPERATION I i_zero(void) { return _mm512_setzero_si512(); }
OPERATION I i_load(const int16_t *p) { return _mm512_loadu_si512(p); }
OPERATION I i_pair(const int16_t *p) { return _mm512_broadcastd_epi32(_mm_loadu_si32(p)); }
OPERATION V i_float(I v) { return _mm512_cvtepi32_ps(v); }
OPERATION __m256i i_narrow(V v) { return _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(v)); }
OPERATION void i_store_narrow(int16_t *p, V v) { _mm256_storeu_si256((__m256i *)p, i_narrow(v)); }
OPERATION void i_store_narrow_first(int16_t *p, V v, size_t count) {
  _mm256_mask_storeu_epi16(p, first_lanes(count), i_narrow(v));
}
