#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tables.h"

#if BASIS_X86
static int has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
}

static int has_avx512(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

static int has_vnni(void) { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }

static int has_popcnt(void) { return has_vnni() && __builtin_cpu_supports("avx512vpopcntdq"); }
#endif

const basis_kernel_table *basis_kernels_at(basis_simd_level level) {
  switch (level) {
    case BASIS_SIMD_SCALAR:
      return &basis_table_scalar;
#if BASIS_X86
    case BASIS_SIMD_AVX2:
      return has_avx2() ? &basis_table_avx2 : NULL;
    case BASIS_SIMD_AVX512:
      return has_avx512() ? &basis_table_avx512 : NULL;
    case BASIS_SIMD_AVX512_VNNI:
      return has_vnni() ? &basis_table_avx512_vnni : NULL;
    case BASIS_SIMD_AVX512_POPCNT:
      return has_popcnt() ? &basis_table_avx512_popcnt : NULL;
#endif
    default:
      return NULL;
  }
}

static const basis_kernel_table *choose(void) {
  const char *asked = getenv("BASIS_SIMD_LEVEL");
  const basis_kernel_table *best = &basis_table_scalar;
  for (int level = 0; level < BASIS_SIMD_LEVEL_COUNT; level++) {
    const basis_kernel_table *table = basis_kernels_at((basis_simd_level)level);
    if (!table) continue;
    if (asked && strcmp(asked, table->name) == 0) return table;
    best = table;
  }
  return best;
}

const basis_kernel_table *basis_kernels(void) {
  static _Atomic(const basis_kernel_table *) chosen;
  const basis_kernel_table *table = atomic_load_explicit(&chosen, memory_order_acquire);
  if (!table) {
    // Two threads may both choose, and the first stays, so that one process never sees two tables.
    const basis_kernel_table *none = NULL;
    table = choose();
    if (!atomic_compare_exchange_strong(&chosen, &none, table)) table = none;
  }
  return table;
}
