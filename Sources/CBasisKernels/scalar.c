// What every processor runs: vectors of four that the compiler maps to whatever the target has
// (SSE2, NEON) or takes apart.
#include <string.h>

#include "tables.h"

#define TARGET
#include "vectors_scalar.h"

OPERATION float v_sum(V v) { return (v[0] + v[2]) + (v[1] + v[3]); }
OPERATION void v_sum4(const V *v, float *out) {
  for (int r = 0; r < 4; r++) out[r] = v_sum(v[r]);
}

// The bits of four floats, and of four halves.
typedef uint32_t U __attribute__((vector_size(16)));
typedef uint16_t H __attribute__((vector_size(8)));

OPERATION U choose(U mask, U yes, U no) { return (mask & yes) | (~mask & no); }

#if defined(__aarch64__)
typedef _Float16 F16 __attribute__((vector_size(8)));

OPERATION V widen_f16(H h) { return __builtin_convertvector((F16)h, V); }
OPERATION H narrow_f16(V v) { return (H)__builtin_convertvector(v, F16); }
#else
OPERATION V widen_f16(H h) {
  U wide = __builtin_convertvector(h, U);
  U sign = (wide & 0x8000) << 16;
  U bits = (wide & 0x7FFF) << 13;
  U exponent = bits & 0x0F800000;
  U normal = bits + (112u << 23);
  // 1 and the mantissa, at the exponent that a subnormal's has, less that 1: exact.
  U subnormal = (U)((V)(bits + (113u << 23)) - (V)((U){0} + (113u << 23)));
  U special = bits | 0x7F800000;
  // A signalling NaN becomes quiet, as the instructions of other levels make it.
  special |= (U)((special & 0x7FFFFF) != 0) & 0x400000;
  U result = choose((U)(exponent == 0), subnormal, normal);
  return (V)(sign | choose((U)(exponent == 0x0F800000), special, result));
}

OPERATION H narrow_f16(V v) {
  U bits = (U)v;
  U sign = (bits >> 16) & 0x8000;
  U magnitude = bits & 0x7FFFFFFF;
  U normal = (magnitude - (112u << 23) + 0xFFF + ((magnitude >> 13) & 1)) >> 13;
  // A unit in the last place of 1/2 is a half's smallest step: the addition rounds.
  U half = (U){0} + (126u << 23);
  U subnormal = (U)((V)magnitude + (V)half) - half;
  U nan = 0x7E00 | ((magnitude >> 13) & 0x1FF);
  U result = choose((U)(magnitude < (113u << 23)), subnormal, normal);
  result = choose((U)(magnitude >= (143u << 23)), (U){0} + 0x7C00, result);
  result = sign | choose((U)(magnitude > 0x7F800000), nan, result);
  return __builtin_convertvector(result, H);
}
#endif

OPERATION V widen_bf16(H h) { return (V)(__builtin_convertvector(h, U) << 16); }
OPERATION H narrow_bf16(V v) {
  U bits = (U)v;
  U rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  U quiet = (bits >> 16) | 0x40;
  U nan = (U)((bits & 0x7FFFFFFF) > 0x7F800000);
  return __builtin_convertvector(choose(nan, quiet, rounded), H);
}

OPERATION H load_halves(const uint16_t *p) {
  H h;
  memcpy(&h, p, sizeof h);
  return h;
}
OPERATION H load_first_halves(const uint16_t *p, size_t count) {
  H h = {0};
  for (size_t i = 0; i < count; i++) h[i] = p[i];
  return h;
}
OPERATION void store_first_halves(uint16_t *p, H h, size_t count) {
  for (size_t i = 0; i < count; i++) p[i] = h[i];
}
OPERATION V v_load_f16(const uint16_t *p) { return widen_f16(load_halves(p)); }
OPERATION V v_load_first_f16(const uint16_t *p, size_t count) {
  return widen_f16(load_first_halves(p, count));
}
OPERATION V v_load_bf16(const uint16_t *p) { return widen_bf16(load_halves(p)); }
OPERATION V v_load_first_bf16(const uint16_t *p, size_t count) {
  return widen_bf16(load_first_halves(p, count));
}
OPERATION void v_store_f16(uint16_t *p, V v) {
  H h = narrow_f16(v);
  memcpy(p, &h, sizeof h);
}
OPERATION void v_store_first_f16(uint16_t *p, V v, size_t count) {
  store_first_halves(p, narrow_f16(v), count);
}
OPERATION void v_store_bf16(uint16_t *p, V v) {
  H h = narrow_bf16(v);
  memcpy(p, &h, sizeof h);
}
OPERATION void v_store_first_bf16(uint16_t *p, V v, size_t count) {
  store_first_halves(p, narrow_bf16(v), count);
}

OPERATION void pack_columns(const float *b, size_t stride, size_t count, size_t depth,
                            float *out) {
  const size_t width = LANES * TILE_VECTORS;
  for (size_t k = 0; k < depth; k++) {
    for (size_t r = 0; r < width; r++) out[k * width + r] = r < count ? b[r * stride + k] : 0;
  }
}

OPERATION size_t interleave_eights(const float *a, size_t stride, size_t row_count, size_t depth,
                                   float *out) {
  (void)a, (void)stride, (void)row_count, (void)depth, (void)out;
  return 0;
}

#include "kernels_body.h"

// --- Integers: plain loops, which compilers turn into vectors by themselves.

#define NAMED(name) JOIN(name, PAIR)
#define PAIR i8
#define TILE_ROWS_I8 2

INLINE void distances_i8(const int8_t *query, const int8_t *const *rows, int row_count, size_t n,
                         int32_t *out, int difference) {
  for (int r = 0; r < row_count; r++) {
    const int8_t *row = rows[r];
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) {
      int32_t term = difference ? (query[i] - row[i]) * (query[i] - row[i]) : query[i] * row[i];
      sum += (uint32_t)term;
    }
    out[r] = (int32_t)sum;
  }
}

INLINE int32_t offset_i8(const int8_t *a, size_t d) {
  (void)a, (void)d;
  return 0;
}

INLINE void tile_i8(const int8_t *const *a, const int32_t *offsets, const int8_t *const *b,
                    size_t d, int32_t (*out)[ROWS_AT_ONCE]) {
  (void)offsets;
  for (int r = 0; r < TILE_ROWS_I8; r++) distances_i8(a[r], b, ROWS_AT_ONCE, d, out[r], 0);
}

#include "int8_body.h"
#undef PAIR

#define PAIR bits

INLINE void distances_bits(const uint64_t *query, const uint64_t *const *rows, int row_count,
                           size_t n, int32_t *out, int op) {
  for (int r = 0; r < row_count; r++) {
    const uint64_t *row = rows[r];
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) {
      uint64_t word = op ? query[i] & row[i] : query[i] ^ row[i];
      sum += (uint32_t)__builtin_popcountll(word);
    }
    out[r] = (int32_t)sum;
  }
}

#include "bits_body.h"
#undef PAIR

#include "table_body.h"

TABLE(basis_table_scalar, "scalar", "scalar", i8, bits);
