// What every processor runs: vectors of four that the compiler maps to whatever the target has.
#include <math.h>
#include <string.h>

#include "encoder_tables.h"

#define TARGET
#define LEVEL_NAME "scalar"
#define LEVEL_TABLE basis_encoder_scalar
#define PREFERS_FIXED 0
#include "vectors_scalar.h"

typedef int32_t I __attribute__((vector_size(16)));

OPERATION V v_mul(V a, V b) { return a * b; }
OPERATION V v_choose(I mask, V yes, V no) { return (V)((mask & (I)yes) | (~mask & (I)no)); }
OPERATION V v_max(V a, V b) { return v_choose((I)(a > b), a, b); }
OPERATION V v_min(V a, V b) { return v_choose((I)(a < b), a, b); }
OPERATION V v_abs(V v) { return (V)((I)v & 0x7FFFFFFF); }
// Adding and taking away 1.5 * 2^23 leaves no place for a fraction; for |v| < 2^22.
OPERATION V v_round(V v) {
  V magic = v_set(12582912.0f);
  return (v + magic) - magic;
}
OPERATION V v_divide(V a, V b) { return a / b; }
OPERATION V v_power(V n) { return (V)((__builtin_convertvector(n, I) + 127) << 23); }
OPERATION float v_sum(V v) { return (v[0] + v[2]) + (v[1] + v[3]); }
OPERATION float v_largest(V v) {
  float a = v[0] > v[1] ? v[0] : v[1], b = v[2] > v[3] ? v[2] : v[3];
  return a > b ? a : b;
}

OPERATION I i_zero(void) { return (I){0, 0, 0, 0}; }
OPERATION I i_load(const int16_t *p) {
  I v;
  memcpy(&v, p, sizeof v);
  return v;
}
OPERATION I i_pair(const int16_t *p) {
  int32_t x;
  memcpy(&x, p, sizeof x);
  return (I){x, x, x, x};
}
// Both halves of a lane, whichever comes first in memory.
OPERATION I i_low(I v) { return (I)((v << 16) >> 16); }
OPERATION I i_dot(I sum, I a, I b) { return sum + i_low(a) * i_low(b) + (a >> 16) * (b >> 16); }
OPERATION V i_float(I v) { return __builtin_convertvector(v, V); }
OPERATION void i_store_narrow_first(int16_t *p, V v, size_t count) {
  for (size_t i = 0; i < count; i++) p[i] = (int16_t)lrintf(v[i]);
}
OPERATION void i_store_narrow(int16_t *p, V v) { i_store_narrow_first(p, v, LANES); }

#include "encoder_body.h"
