// Inner loops of flat scans over codes of bytes and of bits, one function table per instruction set.
//
// The rules of basis_scan_kernels.h hold here too; all of these give the same bits at every level.
//
// Bytes. Rows of int8, 128 added to each value, lie in blocks of BASIS_BYTES_BLOCK rows, a group of
// four values after the other: byte 4 * r + v of group g is value 4 * g + v of row r of the block. A
// query is 4 * groups bytes of int8, and a sum the product of the two, the 128 included; up to
// BASIS_BYTES_MAX_GROUPS groups it fits.
//
// Bits. Rows lie in the blocks of basis_scan_kernels.h, four bits a part, and a query is a table of
// the kind that is described there.
#ifndef BASIS_CODE_SCAN_KERNELS_H
#define BASIS_CODE_SCAN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "basis_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  BASIS_BYTES_BLOCK = 16,
  BASIS_BYTES_GROUP_BYTES = 64,
  BASIS_BYTES_MAX_GROUPS = 16384,
  // Rows that are scanned at once: best for n to be a multiple of it.
  BASIS_CODE_SCAN_ROWS = 64
};

// One query on its way through codes, and the smallest keys that it has met. A key is a score as an
// ordered number (the upper half) and the row's number.
typedef struct {
  // Bytes or a table.
  const void *codes;
  uint64_t *keys;
  // Keys not below it are dropped; scores above the bound too, which is the limit's upper half.
  uint64_t limit;
  float bound;
  // How many of the smallest keys are wanted; room for keys, at least wanted + 64; keys there are.
  uint32_t wanted;
  uint32_t capacity;
  uint32_t count;
  // Taken off each sum.
  int32_t offset;
  // What biases of rows are multiplied with.
  float scale;
} basis_code_query;

// A query cut to bytes.
typedef struct {
  // What one of its steps is worth: the largest magnitude / 127; 0 where that has no inverse, and
  // all bytes are zero then.
  float unit;
  // The sum of its bytes.
  int32_t sum;
  // Squared lengths of the query, and of what the bytes leave out.
  float squares, errors;
} basis_query_bytes;

typedef struct {
  const char *name;

  // out[i] = -x[i] / unit, rounded, i < n.
  basis_query_bytes (*query_bytes)(const float *x, size_t n, int8_t *out);
  // A table, of groups * 64 bytes, for rows of n signs, four a part, the first in the lowest bit and
  // set for +1: a step, times the sum of a row's entries, plus least, is the product of signs and
  // weights, negated. Weights are finite. Returns the step, at least FLT_MIN.
  float (*sign_table)(const float *weights, size_t n, size_t groups, uint8_t *table, float *least);
  // Adds to each query the keys of rows first_id ... first_id + n which may be among its wanted
  // smallest. A score is (sum - offset) * factor + bias * scale; factors and biases have room for n
  // rounded up to the block, and may be NULL, for ones and zeros. Where allowed is not NULL, only
  // rows with a bit there, and first_id is a multiple of BASIS_CODE_SCAN_ROWS, or of
  // BASIS_SCAN_BLOCK for bits.
  void (*collect_bytes)(const uint8_t *blocks, size_t n, size_t groups, const float *factors,
                        const float *biases, size_t first_id, const uint64_t *allowed,
                        basis_code_query *queries, size_t query_count);
  void (*collect_bits)(const uint8_t *blocks, size_t n, size_t groups, const float *factors,
                       const float *biases, size_t first_id, const uint64_t *allowed,
                       basis_code_query *queries, size_t query_count);
} basis_code_scan_table;

// The table in force.
const basis_code_scan_table *basis_code_scan_kernels(void);
// The table of one level, or NULL where this processor cannot run it.
const basis_code_scan_table *basis_code_scan_kernels_at(basis_simd_level level);

// Writes a row of d bytes as row i of a list of blocks that are 128 everywhere before.
void basis_bytes_pack(const int8_t *row, size_t d, size_t i, uint8_t *blocks);
// Reads it back.
void basis_bytes_unpack(const uint8_t *blocks, size_t d, size_t i, int8_t *row);

#ifdef __cplusplus
}
#endif

#endif
