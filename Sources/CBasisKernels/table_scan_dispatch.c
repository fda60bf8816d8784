#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "table_scan_tables.h"

const basis_table_scan_table *basis_table_scan_kernels_at(basis_simd_level level) {
  switch (level) {
    case BASIS_SIMD_SCALAR:
      return &basis_table_scan_scalar;
#if BASIS_X86_64
    case BASIS_SIMD_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                     __builtin_cpu_supports("bmi2")
                 ? &basis_table_scan_avx2
                 : NULL;
    case BASIS_SIMD_AVX512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                     __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                     __builtin_cpu_supports("bmi2")
                 ? &basis_table_scan_avx512
                 : NULL;
#endif
    default:
      return NULL;
  }
}

static const basis_table_scan_table *choose(void) {
  const char *asked = getenv("BASIS_SIMD_LEVEL");
  const basis_table_scan_table *best = &basis_table_scan_scalar;
  for (int level = BASIS_SIMD_SCALAR; level <= BASIS_SIMD_AVX512; level++) {
    const basis_table_scan_table *table = basis_table_scan_kernels_at((basis_simd_level)level);
    if (!table) continue;
    if (asked && strcmp(asked, table->name) == 0) return table;
    best = table;
  }
  return best;
}

const basis_table_scan_table *basis_table_scan_kernels(void) {
  static _Atomic(const basis_table_scan_table *) chosen;
  const basis_table_scan_table *table = atomic_load_explicit(&chosen, memory_order_acquire);
  if (!table) {
    // Two threads may both choose, and the first stays.
    const basis_table_scan_table *none = NULL;
    table = choose();
    if (!atomic_compare_exchange_strong(&chosen, &none, table)) table = none;
  }
  return table;
}
