// Vectors of sixteen floats, for all tables of the AVX-512 levels; the including file defines
// TARGET.
#include <immintrin.h>

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
