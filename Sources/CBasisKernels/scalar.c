// What every processor runs: vectors of four that the compiler maps to whatever the target has
// (SSE2, NEON) or takes apart.
#include <string.h>

#include "tables.h"

#define TARGET
#define LEVEL_NAME "scalar"
#define LEVEL_TABLE basis_table_scalar
#define LANES 4
#define TILE_ROWS 4
#define TILE_VECTORS 2

typedef float V __attribute__((vector_size(16)));

#define OPERATION static inline __attribute__((always_inline))

OPERATION V v_zero(void) { return (V){0, 0, 0, 0}; }
OPERATION V v_set(float x) { return (V){x, x, x, x}; }
OPERATION V v_load(const float *p) {
  V v;
  memcpy(&v, p, sizeof v);
  return v;
}
OPERATION V v_load_first(const float *p, size_t count) {
  V v = v_zero();
  for (size_t i = 0; i < count; i++) v[i] = p[i];
  return v;
}
OPERATION void v_store(float *p, V v) { memcpy(p, &v, sizeof v); }
OPERATION void v_store_first(float *p, V v, size_t count) {
  for (size_t i = 0; i < count; i++) p[i] = v[i];
}
OPERATION V v_add(V a, V b) { return a + b; }
OPERATION V v_sub(V a, V b) { return a - b; }
OPERATION V v_fma(V a, V b, V c) { return a * b + c; }
OPERATION float v_sum(V v) { return (v[0] + v[2]) + (v[1] + v[3]); }
OPERATION void v_sum4(const V *v, float *out) {
  for (int r = 0; r < 4; r++) out[r] = v_sum(v[r]);
}

OPERATION void pack_columns(const float *b, size_t stride, size_t count, size_t depth,
                            float *out) {
  const size_t width = LANES * TILE_VECTORS;
  for (size_t k = 0; k < depth; k++) {
    for (size_t r = 0; r < width; r++) out[k * width + r] = r < count ? b[r * stride + k] : 0;
  }
}

#include "kernels_body.h"
