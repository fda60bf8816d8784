#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "fastscan_tables.h"

const basis_scan_table *basis_scan_kernels_at(basis_simd_level level) {
  switch (level) {
    case BASIS_SIMD_SCALAR:
      return &basis_scan_scalar;
#if BASIS_X86
    case BASIS_SIMD_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &basis_scan_avx2
                                                                             : NULL;
    case BASIS_SIMD_AVX512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                     __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
                 ? &basis_scan_avx512
                 : NULL;
#endif
    default:
      return NULL;
  }
}

static const basis_scan_table *choose(void) {
  const char *asked = getenv("BASIS_SIMD_LEVEL");
  const basis_scan_table *best = &basis_scan_scalar;
  for (int level = BASIS_SIMD_SCALAR; level <= BASIS_SIMD_AVX512; level++) {
    const basis_scan_table *table = basis_scan_kernels_at((basis_simd_level)level);
    if (!table) continue;
    if (asked && strcmp(asked, table->name) == 0) return table;
    best = table;
  }
  return best;
}

const basis_scan_table *basis_scan_kernels(void) {
  static _Atomic(const basis_scan_table *) chosen;
  const basis_scan_table *table = atomic_load_explicit(&chosen, memory_order_acquire);
  if (!table) {
    // Two threads may both choose, and the first stays.
    const basis_scan_table *none = NULL;
    table = choose();
    if (!atomic_compare_exchange_strong(&chosen, &none, table)) table = none;
  }
  return table;
}

// Where the nibbles of code i of a block lie within 16 bytes, and how far they are shifted.
static size_t byte_of(size_t i) { return i % 8 * 2 + i / 8 % 2; }
static int shift_of(size_t i) { return i % BASIS_SCAN_BLOCK < 16 ? 0 : 4; }

void basis_scan_pack(const uint8_t *code, size_t groups, size_t i, uint8_t *blocks) {
  uint8_t *block = blocks + i / BASIS_SCAN_BLOCK * groups * BASIS_SCAN_GROUP_BYTES + byte_of(i);
  int shift = shift_of(i);
  for (size_t part = 0; part < 4 * groups; part++) {
    uint8_t *byte = block + 16 * part;
    *byte = (uint8_t)((*byte & ~(15 << shift)) | (code[part] & 15) << shift);
  }
}

void basis_scan_unpack(const uint8_t *blocks, size_t groups, size_t i, uint8_t *code) {
  const uint8_t *block =
      blocks + i / BASIS_SCAN_BLOCK * groups * BASIS_SCAN_GROUP_BYTES + byte_of(i);
  for (size_t part = 0; part < 4 * groups; part++) code[part] = block[16 * part] >> shift_of(i) & 15;
}
