// The tables of the levels, each from its own file, and what all of them share.
#ifndef BASIS_TABLE_SCAN_TABLES_H
#define BASIS_TABLE_SCAN_TABLES_H

#include "basis_table_scan_kernels.h"

#if defined(__x86_64__)
#define BASIS_X86_64 1
#else
#define BASIS_X86_64 0
#endif

extern const basis_table_scan_table basis_table_scan_scalar;
#if BASIS_X86_64
extern const basis_table_scan_table basis_table_scan_avx2;
extern const basis_table_scan_table basis_table_scan_avx512;
#endif

// Levels `start` to n, one by one.
static inline void basis_unpack_tail(const uint8_t *stream, size_t start, size_t n, int bits,
                                     int8_t *out) {
  unsigned mask = (1u << bits) - 1;
  for (size_t i = start; i < n; i++) {
    size_t place = i * (size_t)bits;
    unsigned shift = place & 7;
    unsigned word = stream[place >> 3];
    if (shift + (unsigned)bits > 8) word |= (unsigned)stream[(place >> 3) + 1] << 8;
    out[i] = (int8_t)(word >> shift & mask);
  }
}

#endif
