// Vectors of eight floats, for all tables of the AVX2 level; the including file defines TARGET.
#include <immintrin.h>

#define LANES 8
#define TILE_ROWS 6
#define TILE_VECTORS 2

typedef __m256 V;

#define OPERATION TARGET static inline __attribute__((always_inline))

// All ones in the first count lanes: eight entries from here on.
static const int32_t masks[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
OPERATION __m256i first_lanes(size_t count) {
  return _mm256_loadu_si256((const __m256i *)(masks + 8 - count));
}

OPERATION V v_zero(void) { return _mm256_setzero_ps(); }
OPERATION V v_set(float x) { return _mm256_set1_ps(x); }
OPERATION V v_load(const float *p) { return _mm256_loadu_ps(p); }
OPERATION V v_load_first(const float *p, size_t count) {
  return _mm256_maskload_ps(p, first_lanes(count));
}
OPERATION void v_store(float *p, V v) { _mm256_storeu_ps(p, v); }
OPERATION void v_store_first(float *p, V v, size_t count) {
  _mm256_maskstore_ps(p, first_lanes(count), v);
}
OPERATION V v_add(V a, V b) { return _mm256_add_ps(a, b); }
OPERATION V v_sub(V a, V b) { return _mm256_sub_ps(a, b); }
OPERATION V v_fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
