#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "scan_codes_tables.h"

#if BASIS_X86
static int has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
#endif

const basis_code_scan_table *basis_code_scan_kernels_at(basis_simd_level level) {
  switch (level) {
    case BASIS_SIMD_SCALAR:
      return &basis_code_scan_scalar;
#if BASIS_X86
    case BASIS_SIMD_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &basis_code_scan_avx2
                                                                             : NULL;
    case BASIS_SIMD_AVX512:
      return has_avx512() ? &basis_code_scan_avx512 : NULL;
    case BASIS_SIMD_AVX512_VNNI:
      return has_avx512() && __builtin_cpu_supports("avx512vnni") ? &basis_code_scan_vnni : NULL;
#endif
    default:
      return NULL;
  }
}

static const basis_code_scan_table *choose(void) {
  const char *asked = getenv("BASIS_SIMD_LEVEL");
  const basis_code_scan_table *best = &basis_code_scan_scalar;
  for (int level = BASIS_SIMD_SCALAR; level <= BASIS_SIMD_AVX512_VNNI; level++) {
    const basis_code_scan_table *table = basis_code_scan_kernels_at((basis_simd_level)level);
    if (!table) continue;
    if (asked && strcmp(asked, table->name) == 0) return table;
    best = table;
  }
  return best;
}

const basis_code_scan_table *basis_code_scan_kernels(void) {
  static _Atomic(const basis_code_scan_table *) chosen;
  const basis_code_scan_table *table = atomic_load_explicit(&chosen, memory_order_acquire);
  if (!table) {
    // Two threads may both choose, and the first stays.
    const basis_code_scan_table *none = NULL;
    table = choose();
    if (!atomic_compare_exchange_strong(&chosen, &none, table)) table = none;
  }
  return table;
}

void basis_bytes_pack(const int8_t *row, size_t d, size_t i, uint8_t *blocks) {
  size_t groups = (d + 3) / 4;
  uint8_t *block = blocks + i / BASIS_BYTES_BLOCK * groups * BASIS_BYTES_GROUP_BYTES +
                   4 * (i % BASIS_BYTES_BLOCK);
  for (size_t v = 0; v < d; v++) {
    block[v / 4 * BASIS_BYTES_GROUP_BYTES + v % 4] = (uint8_t)(row[v] + 128);
  }
}

void basis_bytes_unpack(const uint8_t *blocks, size_t d, size_t i, int8_t *row) {
  size_t groups = (d + 3) / 4;
  const uint8_t *block = blocks + i / BASIS_BYTES_BLOCK * groups * BASIS_BYTES_GROUP_BYTES +
                         4 * (i % BASIS_BYTES_BLOCK);
  for (size_t v = 0; v < d; v++) {
    row[v] = (int8_t)(block[v / 4 * BASIS_BYTES_GROUP_BYTES + v % 4] - 128);
  }
}
