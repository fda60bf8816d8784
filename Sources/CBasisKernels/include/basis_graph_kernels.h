// Inner loops of graph indexes, one function table per instruction set.
//
// The rules of basis_kernels.h hold here too: pointers and counts, no allocation, no read or write
// past what is named; BASIS_SIMD_LEVEL names a level. All levels give the same bits: products are
// of integers, and the few float operations on them are rounded one by one.
//
// A row is bytes, code + 128, or pairs of bits, which stand for the codes -3, -1, 1 and 3. Its two
// facts and the codes give its key to a query, which is the squared distance but for what depends
// on the query alone:
//   fact 1 - scale of the query * (fact 0 * product of the codes).
// Smaller is closer.
//
// Pairs of bits lie in units of 256 codes, then of 128 and of 64 for what is left. The lowest pairs
// of a unit's bytes are its first quarter, the next ones its second.
//
// An entry is a key and a row in one number, so that entries sort as their keys do, ties by smaller
// row: the key's bits, made to rise, above; the row and then one bit for a mark below.
#ifndef BASIS_GRAPH_KERNELS_H
#define BASIS_GRAPH_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "basis_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

// What callers may not exceed: neighbours of a row, rows whose neighbours are gathered at once.
enum { BASIS_GRAPH_DEGREE = 128, BASIS_GRAPH_STEP = 4 };

typedef struct {
  const uint8_t *codes;
  // Bytes from a row to the next.
  size_t stride;
  size_t dimension;
  // The dimension rounded up to a multiple of 64. A row of bytes may have anything after the
  // dimension, such as its facts; a row of pairs has zeros there.
  size_t width;
  int is_pairs;
  // Two floats a row, `facts_stride` floats apart.
  const float *facts;
  size_t facts_stride;
  // `degree` row numbers a row; those after the last neighbour are the row's own.
  const uint32_t *edges;
  size_t degree;
} basis_graph_rows;

typedef struct {
  // `width` signed bytes, zeros after the dimension, and their sum.
  const int8_t *codes;
  int32_t sum;
  float scale;
} basis_graph_query;

typedef struct {
  // The walk keeps the `width` nearest rows that it saw in `beam`, which has room for one more.
  uint64_t *beam;
  size_t width;
  // How many rows' neighbours are gathered at once.
  size_t step;
  // Where it starts.
  const uint32_t *entries;
  size_t entry_count;
  // One bit a row, all zero before and after the walk.
  uint64_t *seen;
  // Room for the numbers of all rows, and degree * step + entry_count more.
  uint32_t *touched;
  // Set: entries in the beam, rows that were compared.
  size_t beam_count, touched_count;
  // The walk's own.
  size_t next, added;
  int is_active;
} basis_graph_walk;

typedef struct {
  const char *name;

  // Codes of (x - mean) for d floats, zeros up to width; what a code is worth is their scale.
  float (*encode)(const float *x, const float *mean, size_t d, size_t width, int8_t *codes,
                  int32_t *sum);
  // Pairs of bits for (x - mean), and the fact that makes a row's product with itself right.
  float (*pack)(const float *x, const float *mean, size_t d, size_t width, uint8_t *pairs);
  // The codes of a row of bytes as those of a query; returns their sum.
  int32_t (*decode)(const basis_graph_rows *rows, uint32_t row, int8_t *codes);
  // out[i] = the key of row ids[i].
  void (*keys)(const basis_graph_rows *rows, const basis_graph_query *query, const uint32_t *ids,
               size_t id_count, float *out);
  // Best-first walks along the edges, in turns; each does as it would alone.
  void (*walk)(const basis_graph_rows *rows, const basis_graph_query *queries,
               basis_graph_walk *walks, size_t count);
  // Offers `count` members to the pools of those whose `asks` is set. A pool has pool_size entries,
  // sorted, UINT64_MAX where there is none, at the member's id; members has no edges. scratch has
  // 4 * count + 256 floats.
  void (*offer)(const basis_graph_rows *members, const uint32_t *ids, const uint8_t *asks,
                size_t count, uint64_t *pools, size_t pool_size, float *scratch);
  // The nearest of `count` rows that lie one after another, as entries of their positions in out:
  // the nearest `limit` sorted, UINT64_MAX after the last. scratch has 256 floats.
  void (*nearest)(const basis_graph_rows *members, size_t count, const basis_graph_query *query,
                  size_t limit, float *scratch, uint64_t *out);
  // Puts those of some rows that are near enough into sorted entries, of which `entry_count` are
  // there and `limit`, at least 1, may be; room is for one more. Returns how many there are then.
  size_t (*collect)(const basis_graph_rows *rows, const basis_graph_query *query,
                    const uint32_t *ids, size_t id_count, uint64_t *entries, size_t entry_count,
                    size_t limit);
  // A pool, and what the `reach` nearest rows of the pools of its `reach` nearest rows add to it.
  // scratch has reach * reach numbers and as many floats.
  void (*refine)(const basis_graph_rows *rows, uint32_t row, const uint64_t *pools,
                 size_t pool_size, size_t reach, uint64_t *seen, uint32_t *scratch,
                 uint64_t *out);
  // Of sorted entries at most `limit`, nearest first, leaving out each row that is `slack` times
  // closer to one that was taken than to `row`. Returns how many; out has their rows.
  size_t (*prune)(const basis_graph_rows *rows, uint32_t row, const uint64_t *entries,
                  size_t entry_count, float slack, size_t limit, uint32_t *out);
  // Entries of some rows by their distance to a row of bytes, sorted. scratch: count floats.
  void (*sort)(const basis_graph_rows *rows, uint32_t row, const uint32_t *ids, size_t count,
               float *scratch, uint64_t *out);
} basis_graph_table;

const basis_graph_table *basis_graph_kernels(void);
// The table of one level, or NULL where this processor cannot run it.
const basis_graph_table *basis_graph_kernels_at(basis_simd_level level);

#ifdef __cplusplus
}
#endif

#endif
