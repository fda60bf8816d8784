// Inner loops over packed codes of few bits, one function table per instruction set.
//
// The rules of basis_kernels.h hold here too: pointers and counts, no allocation, no alignment, no
// read or write past what is named; the level is decided once, BASIS_SIMD_LEVEL names another.
// Integers are exact, so that every level gives the same numbers; of sums of floats the last bits
// differ between levels, and a row gives the same bits whatever rows are computed with it.
//
// Levels of b bits are a stream, low bits of low bytes first: level i is at the bits i * b up to
// (i + 1) * b.
#ifndef BASIS_TABLE_SCAN_KERNELS_H
#define BASIS_TABLE_SCAN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "basis_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

// Codes of a block of a table scan, the positions that are looked up at once, and how many of them
// a sum of 16 bits is sure to hold.
enum { BASIS_TABLE_SCAN_BLOCK = 32, BASIS_TABLE_SCAN_STEP = 4, BASIS_TABLE_SCAN_POSITIONS = 3640 };

typedef struct {
  const char *name;

  // For each of block_count blocks and each of its 32 codes c: out[32 * block + c] = the sum over
  // the positions p of tables[16 * p + nibble(p, c)]. A block has 16 bytes a position; nibble c is
  // in the low half of byte c where c < 16, else in the high half of byte c - 16. No entry of a
  // table is above 18; positions are a multiple of BASIS_TABLE_SCAN_STEP, up to BASIS_TABLE_SCAN_POSITIONS.
  void (*scan)(const uint8_t *blocks, size_t block_count, size_t positions, const uint8_t *tables,
               uint16_t *out);
  // out[i] = level i of a stream of n levels of 1 to 4 bits.
  void (*unpack)(const uint8_t *stream, size_t n, int bits, int8_t *out);
  // out[r] = the sum of query[i] over the bits i that are set in row r, of n bits, rows stride
  // bytes apart.
  void (*sum_at_bits_rows)(const float *query, const uint8_t *rows, size_t row_count,
                           size_t stride, size_t n, float *out);
} basis_table_scan_table;

// The table in force.
const basis_table_scan_table *basis_table_scan_kernels(void);
// The table of one level, or NULL where this processor cannot run it.
const basis_table_scan_table *basis_table_scan_kernels_at(basis_simd_level level);

#ifdef __cplusplus
}
#endif

#endif
