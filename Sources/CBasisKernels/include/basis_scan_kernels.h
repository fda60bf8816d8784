// Inner loops of quantised search, one function table per instruction set.
//
// The rules of basis_kernels.h hold here too: pointers and counts, no allocation, no alignment, no
// read or write past what is named; the level is decided once, BASIS_SIMD_LEVEL names another. All
// of these give the same bits at every level.
//
// Fast scan. Codes of 4 bits lie in blocks of 32 codes, a group of four parts after the other, 64
// bytes each: byte 16 * s + j of group g belongs to part 4 * g + s, its low nibble to code
// j / 2 + j % 2 * 8 of the block, its high nibble to the code 16 further on. A table has 64 bytes a
// group too: byte 16 * s + v is what value v of part 4 * g + s adds to a code's sum. The bytes that
// one code takes from the same s of BASIS_SCAN_RUN groups, starting at a multiple of that, must not
// exceed 255 together. André, Kermarrec & Le Scouarnec, Cache locality is not enough, PVLDB 9
// (2015), doi:10.14778/2856318.2856324, for look-up by byte shuffle.
#ifndef BASIS_SCAN_KERNELS_H
#define BASIS_SCAN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "basis_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  BASIS_SCAN_BLOCK = 32,
  BASIS_SCAN_GROUP_BYTES = 64,
  BASIS_SCAN_RUN = 8,
  // Groups whose sums 16 bits hold.
  BASIS_SCAN_MAX_GROUPS = 512
};

// One query on its way through lists of codes, and the smallest keys it has met. A key is a score
// (the upper half) and an id; keys must differ.
typedef struct {
  const uint8_t *table;
  uint64_t *keys;
  // Keys not below it are dropped.
  uint64_t limit;
  // How many of the smallest keys are wanted; room for keys, at least wanted + 32; keys there are.
  uint32_t wanted;
  uint32_t capacity;
  uint32_t count;
  // Added to each sum of the list that is scanned next.
  uint32_t bias;
  // What biases of codes are multiplied with.
  float scale;
} basis_scan_query;

typedef struct {
  const char *name;

  // out[i] = the sum of code i, i < 32 * block_count.
  void (*sums)(const uint8_t *blocks, size_t block_count, size_t groups, const uint8_t *table,
               uint16_t *out);
  // Adds to each query the keys score << 32 | ids[i] of a list of n codes which may be among its
  // wanted smallest: score = sum of code i + bias + round(biases[i] * scale). biases may be NULL,
  // for zeros; products are 0 to 2^30. Where allowed is not NULL, only ids with a bit there.
  void (*collect)(const uint8_t *blocks, size_t n, size_t groups, const uint32_t *ids,
                  const float *biases, const uint64_t *allowed, basis_scan_query *const *queries,
                  size_t query_count);
  // Moves the `wanted` smallest of n different keys to the front, in their order, and returns how
  // many there are.
  size_t (*smallest)(uint64_t *keys, size_t n, size_t wanted);
  // For each of m rows of n products, the j with the smallest halves[j] - products[j], the smaller
  // j of two; and that value.
  void (*nearest)(const float *products, size_t stride, size_t m, const float *halves, size_t n,
                  uint32_t *out, float *values);
  // keys[j] = halves[j] - products[j] as an ordered number << 32 | j. halves may be NULL.
  void (*rank)(const float *products, const float *halves, size_t n, uint64_t *keys);
  // For each of n rows of parts * width floats, the nearest of `size` (a multiple of 16) words to
  // each part: words is parts x width x size, the words of a part side by side. The loss of a row
  // with error e is e * e + excess * (e * u)^2, u the row of directions; it is lowered part by
  // part, `passes` times, from the nearest words on. directions may be NULL where excess is 0.
  void (*encode)(const float *rows, const float *directions, size_t n, size_t parts, size_t width,
                 const float *words, size_t size, float excess, size_t passes, uint8_t *out);
  // The products of each part of x with each of its words, negated: parts x size floats.
  void (*products)(const float *x, size_t parts, size_t width, const float *words, size_t size,
                   float *out);
  // A table in bytes from 16 * parts floats: entry is (float - the least of its part) / step,
  // rounded. Returns the step, at least the smallest normal number, and the sum of the leasts.
  float (*quantize)(const float *values, size_t parts, size_t groups, uint8_t *table,
                    float *offset);
} basis_scan_table;

// The table in force.
const basis_scan_table *basis_scan_kernels(void);
// The table of one level, or NULL where this processor cannot run it.
const basis_scan_table *basis_scan_kernels_at(basis_simd_level level);

// Writes the code of `groups * 4` parts, a byte each, as code i of a list of blocks.
void basis_scan_pack(const uint8_t *code, size_t groups, size_t i, uint8_t *blocks);
// Reads it back.
void basis_scan_unpack(const uint8_t *blocks, size_t groups, size_t i, uint8_t *code);

#ifdef __cplusplus
}
#endif

#endif
