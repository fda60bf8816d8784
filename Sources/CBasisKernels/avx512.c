#include "tables.h"

#if BASIS_X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")))
#define LEVEL_NAME "avx512"
#define LEVEL_TABLE basis_table_avx512
#define LANES 16
#define TILE_ROWS 14
#define TILE_VECTORS 2

typedef __m512 V;

#define OPERATION TARGET static inline __attribute__((always_inline))

OPERATION __mmask16 first_lanes(size_t count) { return (__mmask16)((1u << count) - 1); }

OPERATION V v_zero(void) { return _mm512_setzero_ps(); }
OPERATION V v_set(float x) { return _mm512_set1_ps(x); }
OPERATION V v_load(const float *p) { return _mm512_loadu_ps(p); }
OPERATION V v_load_first(const float *p, size_t count) {
  return _mm512_maskz_loadu_ps(first_lanes(count), p);
}
OPERATION void v_store(float *p, V v) { _mm512_storeu_ps(p, v); }
OPERATION void v_store_first(float *p, V v, size_t count) {
  _mm512_mask_storeu_ps(p, first_lanes(count), v);
}
OPERATION V v_add(V a, V b) { return _mm512_add_ps(a, b); }
OPERATION V v_sub(V a, V b) { return _mm512_sub_ps(a, b); }
OPERATION V v_fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }

OPERATION __m128 v_quarter(V v) {
  __m256 x = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
  return _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
}
// Lanes 0 + 2 and 1 + 3, and those two: v_sum4 keeps the order.
OPERATION float v_sum(V v) {
  __m128 x = v_quarter(v);
  x = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}
OPERATION void v_sum4(const V *v, float *out) {
  __m128 a = v_quarter(v[0]), b = v_quarter(v[1]), c = v_quarter(v[2]), d = v_quarter(v[3]);
  __m128 ab = _mm_add_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
  __m128 cd = _mm_add_ps(_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
  _mm_storeu_ps(out, _mm_add_ps(_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab)));
}

#include "pack_avx.h"

#include "kernels_body.h"

#endif
