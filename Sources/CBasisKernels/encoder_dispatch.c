#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "encoder_tables.h"

const basis_encoder_table *basis_encoder_kernels_at(basis_simd_level level) {
  switch (level) {
    case BASIS_SIMD_SCALAR:
      return &basis_encoder_scalar;
#if BASIS_X86
    case BASIS_SIMD_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &basis_encoder_avx2
                                                                             : NULL;
    case BASIS_SIMD_AVX512:
      if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq") ||
          !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl")) {
        return NULL;
      }
      return __builtin_cpu_supports("avx512vnni") ? &basis_encoder_vnni : &basis_encoder_avx512;
#endif
    default:
      return NULL;
  }
}

static const basis_encoder_table *choose(void) {
  const char *asked = getenv("BASIS_SIMD_LEVEL");
  const basis_encoder_table *best = &basis_encoder_scalar;
  for (int level = BASIS_SIMD_SCALAR; level <= BASIS_SIMD_AVX512; level++) {
    const basis_encoder_table *table = basis_encoder_kernels_at((basis_simd_level)level);
    if (!table) continue;
    if (asked && strcmp(asked, table->name) == 0) return table;
    best = table;
  }
  return best;
}

const basis_encoder_table *basis_encoder_kernels(void) {
  static _Atomic(const basis_encoder_table *) chosen;
  const basis_encoder_table *table = atomic_load_explicit(&chosen, memory_order_acquire);
  if (!table) {
    // Two threads may both choose, and the first stays.
    const basis_encoder_table *none = NULL;
    table = choose();
    if (!atomic_compare_exchange_strong(&chosen, &none, table)) table = none;
  }
  return table;
}

// The widest panel and the highest tile of any level.
enum { WIDEST_PANEL = 32, HIGHEST_TILE = 14 };

static size_t rounded_up(size_t n, size_t step) { return (n + step - 1) / step * step; }

size_t basis_attention_scratch(size_t length, size_t size) {
  size_t wide = rounded_up(length, WIDEST_PANEL);
  return wide * size + length * rounded_up(size, WIDEST_PANEL) + HIGHEST_TILE * (wide + 1);
}

size_t basis_packed_f32_count(size_t n, size_t k, size_t panel) {
  return rounded_up(n, panel) * k;
}

size_t basis_packed_i16_count(size_t n, size_t k, size_t panel) {
  return rounded_up(n, panel) * rounded_up(k, 2);
}

void basis_pack_f32(const float *weights, size_t n, size_t k, size_t panel, float *out) {
  for (size_t first = 0; first < n; first += panel) {
    float *to = out + first * k;
    for (size_t c = 0; c < panel; c++) {
      const float *row = weights + (first + c) * k;
      if (first + c < n) {
        for (size_t i = 0; i < k; i++) to[i * panel + c] = row[i];
      } else {
        for (size_t i = 0; i < k; i++) to[i * panel + c] = 0;
      }
    }
  }
}

void basis_pack_i16(const float *weights, size_t n, size_t k, size_t panel, int16_t *out,
                    float *scales) {
  size_t pairs = rounded_up(k, 2) / 2;
  memset(out, 0, sizeof *out * basis_packed_i16_count(n, k, panel));
  for (size_t j = 0; j < n; j++) {
    const float *row = weights + j * k;
    double largest = 0, heaviest = 0;
    for (size_t start = 0; start < k; start += BASIS_FIXED_PART) {
      double sum = 0;
      for (size_t i = start; i < k && i < start + BASIS_FIXED_PART; i++) {
        double x = fabs((double)row[i]);
        sum += x;
        if (x > largest) largest = x;
      }
      if (sum > heaviest) heaviest = sum;
    }
    // Rounding may add a half to each number of the sum.
    const double room = 2147483647.0 / BASIS_FIXED_LIMIT - 0.5 * BASIS_FIXED_PART - 1;
    double unit = largest / 32767;
    if (heaviest / room > unit) unit = heaviest / room;
    scales[j] = (float)unit;
    int16_t *to = out + j / panel * panel * 2 * pairs + j % panel * 2;
    if (unit == 0) continue;
    for (size_t i = 0; i < k; i++) {
      to[i / 2 * panel * 2 + i % 2] = (int16_t)lrint((double)row[i] / unit);
    }
  }
}
