#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "graph_tables.h"

const basis_graph_table *basis_graph_kernels_at(basis_simd_level level) {
  switch (level) {
    case BASIS_SIMD_SCALAR:
      return &basis_graph_scalar;
#if BASIS_X86
    case BASIS_SIMD_AVX2:
      return __builtin_cpu_supports("avx2") ? &basis_graph_avx2 : NULL;
    case BASIS_SIMD_AVX512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                     __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                     __builtin_cpu_supports("avx512vnni")
                 ? &basis_graph_avx512
                 : NULL;
#endif
    default:
      return NULL;
  }
}

static const basis_graph_table *choose(void) {
  const char *asked = getenv("BASIS_SIMD_LEVEL");
  const basis_graph_table *best = &basis_graph_scalar;
  for (int level = BASIS_SIMD_SCALAR; level <= BASIS_SIMD_AVX512; level++) {
    const basis_graph_table *table = basis_graph_kernels_at((basis_simd_level)level);
    if (!table) continue;
    if (asked && strcmp(asked, table->name) == 0) return table;
    best = table;
  }
  return best;
}

const basis_graph_table *basis_graph_kernels(void) {
  static _Atomic(const basis_graph_table *) chosen;
  const basis_graph_table *table = atomic_load_explicit(&chosen, memory_order_acquire);
  if (!table) {
    // Two threads may both choose, and the first stays.
    const basis_graph_table *none = NULL;
    table = choose();
    if (!atomic_compare_exchange_strong(&chosen, &none, table)) table = none;
  }
  return table;
}
