// Vectors of four floats, for all tables of the scalar level.
#include <string.h>

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
