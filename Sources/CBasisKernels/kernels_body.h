// The kernels of floats, written once over a vector type. A level's file defines, and then includes
// this:
//   TARGET            function attribute that allows its instructions
//   V, LANES          the vector and its number of floats
//   TILE_ROWS, TILE_VECTORS   the product's register tile: that many rows by vectors
//   v_zero, v_set, v_load, v_store, v_load_first, v_store_first (the first count lanes; the others
//   load as zero), v_add, v_sub, v_fma, v_sum, v_sum4 (each of four as v_sum), pack_columns,
//   interleave_eights (returns how many columns it has done)
//   v_load_f16, v_load_first_f16, v_store_f16, v_store_first_f16, and the same of bf16: as many
//   shorter numbers in memory
//
// Loops over constants unroll, so that arrays of vectors live in registers.
#define KERNEL TARGET static
#define INLINE TARGET static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

#define JOINED(a, b) a##_##b
#define JOIN(a, b) JOINED(a, b)

// How many rows a query meets at once, in all kernels.
#define ROWS_AT_ONCE 4

// How far ahead of the rows at hand memory is asked for.
#define PREFETCH_BYTES 4096

// --- Distances

// Four sums per row, added up in one fixed order: this is what makes the bits of a pair the same
// among one row and among four.
#define ACCUMULATORS 4

INLINE V add_term(V q, V r, V sum, int difference) {
  if (!difference) return v_fma(q, r, sum);
  V delta = v_sub(q, r);
  return v_fma(delta, delta, sum);
}

#define PAIR f32
#define QUERY float
#define ROW float
#define LOAD_QUERY v_load
#define LOAD_QUERY_FIRST v_load_first
#define LOAD_ROW v_load
#define LOAD_ROW_FIRST v_load_first
#include "distances_body.h"

#define PAIR f32_f16
#define QUERY float
#define ROW uint16_t
#define LOAD_QUERY v_load
#define LOAD_QUERY_FIRST v_load_first
#define LOAD_ROW v_load_f16
#define LOAD_ROW_FIRST v_load_first_f16
#include "distances_body.h"

#define PAIR f16
#define QUERY uint16_t
#define ROW uint16_t
#define LOAD_QUERY v_load_f16
#define LOAD_QUERY_FIRST v_load_first_f16
#define LOAD_ROW v_load_f16
#define LOAD_ROW_FIRST v_load_first_f16
#include "distances_body.h"

#define PAIR f32_bf16
#define QUERY float
#define ROW uint16_t
#define LOAD_QUERY v_load
#define LOAD_QUERY_FIRST v_load_first
#define LOAD_ROW v_load_bf16
#define LOAD_ROW_FIRST v_load_first_bf16
#include "distances_body.h"

#define PAIR bf16
#define QUERY uint16_t
#define ROW uint16_t
#define LOAD_QUERY v_load_bf16
#define LOAD_QUERY_FIRST v_load_first_bf16
#define LOAD_ROW v_load_bf16
#define LOAD_ROW_FIRST v_load_first_bf16
#include "distances_body.h"

// --- Conversions

#define CONVERSION(name, from, to, load, load_first, store, store_first) \
  KERNEL void name(const from *x, size_t n, to *out) {                   \
    size_t i = 0;                                                        \
    for (; i + LANES <= n; i += LANES) store(out + i, load(x + i));      \
    if (i < n) store_first(out + i, load_first(x + i, n - i), n - i);    \
  }

CONVERSION(f16_from_f32, float, uint16_t, v_load, v_load_first, v_store_f16, v_store_first_f16)
CONVERSION(bf16_from_f32, float, uint16_t, v_load, v_load_first, v_store_bf16, v_store_first_bf16)
CONVERSION(f32_from_f16, uint16_t, float, v_load_f16, v_load_first_f16, v_store, v_store_first)
CONVERSION(f32_from_bf16, uint16_t, float, v_load_bf16, v_load_first_bf16, v_store, v_store_first)

// --- Matrix product
//
// Both sides are packed into panels that the tile walks through front to back, DEPTH columns at a
// time: a panel of A interleaves TILE_ROWS rows, a panel of B as many as TILE_VECTORS vectors hold.
// An element is the sum of its DEPTH-long parts, each added up in the order of the columns,
// whichever tile it falls into. Goto & van de Geijn, ACM TOMS 34 (2008),
// doi:10.1145/1356052.1356053.

#define DEPTH 384
#define TILE_COLUMNS (TILE_VECTORS * LANES)
// Of A, what the third-level cache keeps; of B, what the second-level cache keeps.
#define BLOCK_A (1024 / TILE_ROWS * TILE_ROWS)
#define BLOCK_B (512 / TILE_COLUMNS * TILE_COLUMNS)

INLINE void tile(int row_count, size_t depth, const float *a, const float *b, float *c,
                 size_t c_stride, size_t column_count, int first) {
  V sums[TILE_ROWS][TILE_VECTORS];
  UNROLL for (int r = 0; r < row_count; r++) {
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) sums[r][v] = v_zero();
  }
  for (size_t k = 0; k < depth; k++) {
    V right[TILE_VECTORS];
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) right[v] = v_load(b + v * LANES);
    UNROLL for (int r = 0; r < row_count; r++) {
      V left = v_set(a[r]);
      UNROLL for (int v = 0; v < TILE_VECTORS; v++) sums[r][v] = v_fma(left, right[v], sums[r][v]);
    }
    a += row_count;
    b += TILE_COLUMNS;
  }
  UNROLL for (int r = 0; r < row_count; r++) {
    float *out = c + r * c_stride;
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) {
      size_t start = v * LANES;
      if (start + LANES <= column_count) {
        V sum = first ? sums[r][v] : v_add(v_load(out + start), sums[r][v]);
        v_store(out + start, sum);
      } else if (start < column_count) {
        size_t count = column_count - start;
        V sum = first ? sums[r][v] : v_add(v_load_first(out + start, count), sums[r][v]);
        v_store_first(out + start, sum, count);
      }
    }
  }
}

// A case for every height that some level's tile has; those beyond TILE_ROWS are never asked for.
#define TILE_OF(rows)                                                                  \
  case rows:                                                                           \
    tile(rows <= TILE_ROWS ? rows : 1, depth, a, b, c, c_stride, column_count, first); \
    break;

KERNEL void tile_of_rows(size_t row_count, size_t depth, const float *a, const float *b, float *c,
                         size_t c_stride, size_t column_count, int first) {
  switch (row_count) {
    TILE_OF(1)
    TILE_OF(2)
    TILE_OF(3)
    TILE_OF(4)
    TILE_OF(5)
    TILE_OF(6)
    TILE_OF(7)
    TILE_OF(8)
    TILE_OF(9)
    TILE_OF(10)
    TILE_OF(11)
    TILE_OF(12)
    TILE_OF(13)
    TILE_OF(14)
  }
}

KERNEL void interleave_rows(const float *a, size_t stride, size_t row_count, size_t depth,
                            float *out) {
  for (size_t k = interleave_eights(a, stride, row_count, depth, out); k < depth; k++) {
    // Gathered vectors would wait for stores that have just been made.
    _Pragma("clang loop vectorize(disable)") for (size_t r = 0; r < row_count; r++) {
      out[k * row_count + r] = a[r * stride + k];
    }
  }
}

enum { ELEMENT_F32, ELEMENT_F16, ELEMENT_BF16 };

// Shorter numbers are widened on the way into a panel, this many columns at a time.
#define WIDENED_COLUMNS 32

INLINE size_t widen(const void *rows, int element, size_t stride, size_t row_count, size_t start,
                    size_t depth, float *out) {
  size_t count = depth - start < WIDENED_COLUMNS ? depth - start : WIDENED_COLUMNS;
  for (size_t r = 0; r < row_count; r++) {
    const uint16_t *from = (const uint16_t *)rows + r * stride + start;
    float *to = out + r * WIDENED_COLUMNS;
    if (element == ELEMENT_F16) {
      f32_from_f16(from, count, to);
    } else {
      f32_from_bf16(from, count, to);
    }
  }
  return count;
}

INLINE const void *element_at(const void *base, int element, size_t index) {
  if (element == ELEMENT_F32) return (const float *)base + index;
  return (const uint16_t *)base + index;
}

KERNEL void pack_a(const void *a, int element, size_t stride, size_t row_count, size_t depth,
                   float *out) {
  float wide[TILE_ROWS * WIDENED_COLUMNS];
  for (size_t first = 0; first < row_count; first += TILE_ROWS) {
    size_t count = row_count - first < TILE_ROWS ? row_count - first : TILE_ROWS;
    const void *start = element_at(a, element, first * stride);
    if (element == ELEMENT_F32) {
      interleave_rows(start, stride, count, depth, out);
    } else {
      for (size_t k = 0; k < depth; k += WIDENED_COLUMNS) {
        size_t columns = widen(start, element, stride, count, k, depth, wide);
        interleave_rows(wide, WIDENED_COLUMNS, count, columns, out + k * count);
      }
    }
    out += count * depth;
  }
}

KERNEL void pack_b(const void *b, int element, size_t stride, size_t row_count, size_t depth,
                   float *out) {
  float wide[TILE_COLUMNS * WIDENED_COLUMNS];
  for (size_t first = 0; first < row_count; first += TILE_COLUMNS) {
    size_t count = row_count - first < TILE_COLUMNS ? row_count - first : TILE_COLUMNS;
    const void *start = element_at(b, element, first * stride);
    if (element == ELEMENT_F32) {
      pack_columns(start, stride, count, depth, out);
    } else {
      for (size_t k = 0; k < depth; k += WIDENED_COLUMNS) {
        size_t columns = widen(start, element, stride, count, k, depth, wide);
        pack_columns(wide, WIDENED_COLUMNS, count, columns, out + k * TILE_COLUMNS);
      }
    }
    out += TILE_COLUMNS * depth;
  }
}

// Parts of equal length, so that the last one is not a sliver.
INLINE size_t part_of(size_t d) {
  size_t count = (d + DEPTH - 1) / DEPTH;
  return count == 0 ? 1 : (d + count - 1) / count;
}

KERNEL void product(const void *a, int a_element, size_t a_stride, size_t m, const void *b,
                    int b_element, size_t b_stride, size_t n, size_t d, float *c, size_t c_stride,
                    float *scratch) {
  for (size_t i = 0; d == 0 && i < m; i++) {
    for (size_t j = 0; j < n; j++) c[i * c_stride + j] = 0;
  }
  float *packed_b = (float *)(((uintptr_t)scratch + 63) & ~(uintptr_t)63);
  float *packed_a = packed_b + (size_t)BLOCK_B * DEPTH;
  size_t part = part_of(d);
  for (size_t i = 0; i < m; i += BLOCK_A) {
    size_t a_count = m - i < BLOCK_A ? m - i : BLOCK_A;
    for (size_t k = 0; k < d; k += part) {
      size_t depth = d - k < part ? d - k : part;
      pack_a(element_at(a, a_element, i * a_stride + k), a_element, a_stride, a_count, depth,
             packed_a);
      for (size_t j = 0; j < n; j += BLOCK_B) {
        size_t b_count = n - j < BLOCK_B ? n - j : BLOCK_B;
        pack_b(element_at(b, b_element, j * b_stride + k), b_element, b_stride, b_count, depth,
               packed_b);
        for (size_t ii = 0; ii < a_count; ii += TILE_ROWS) {
          size_t rows = a_count - ii < TILE_ROWS ? a_count - ii : TILE_ROWS;
          for (size_t jj = 0; jj < b_count; jj += TILE_COLUMNS) {
            size_t columns = b_count - jj < TILE_COLUMNS ? b_count - jj : TILE_COLUMNS;
            tile_of_rows(rows, depth, packed_a + ii * depth, packed_b + jj * depth,
                         c + (i + ii) * c_stride + j + jj, c_stride, columns, k == 0);
          }
        }
      }
    }
  }
}

// Both sides packed once and multiplied often. A side is packed part after part; within one, panel
// after panel.
KERNEL void multiply_packed(const float *a, size_t m, const float *b, size_t n, size_t d, float *c,
                            size_t c_stride) {
  for (size_t i = 0; d == 0 && i < m; i++) {
    for (size_t j = 0; j < n; j++) c[i * c_stride + j] = 0;
  }
  size_t part = part_of(d);
  size_t width = (n + TILE_COLUMNS - 1) / TILE_COLUMNS * TILE_COLUMNS;
  for (size_t k = 0; k < d; k += part) {
    size_t depth = d - k < part ? d - k : part;
    for (size_t i = 0; i < m; i += TILE_ROWS) {
      size_t rows = m - i < TILE_ROWS ? m - i : TILE_ROWS;
      for (size_t j = 0; j < n; j += TILE_COLUMNS) {
        size_t columns = n - j < TILE_COLUMNS ? n - j : TILE_COLUMNS;
        tile_of_rows(rows, depth, a + m * k + i * depth, b + width * k + j * depth,
                     c + i * c_stride + j, c_stride, columns, k == 0);
      }
    }
  }
}

KERNEL void pack_left_f32(const float *a, size_t stride, size_t m, size_t d, float *out) {
  size_t part = part_of(d);
  for (size_t k = 0; k < d; k += part) {
    size_t depth = d - k < part ? d - k : part;
    pack_a(a + k, ELEMENT_F32, stride, m, depth, out + m * k);
  }
}

KERNEL void pack_right_f32(const float *b, size_t stride, size_t n, size_t d, float *out) {
  size_t width = (n + TILE_COLUMNS - 1) / TILE_COLUMNS * TILE_COLUMNS;
  size_t part = part_of(d);
  for (size_t k = 0; k < d; k += part) {
    size_t depth = d - k < part ? d - k : part;
    pack_b(b + k, ELEMENT_F32, stride, n, depth, out + width * k);
  }
}

#define PRODUCT(name, a_type, a_element, b_type, b_element)                                      \
  KERNEL void name(const a_type *a, size_t a_stride, size_t m, const b_type *b, size_t b_stride, \
                   size_t n, size_t d, float *c, size_t c_stride, float *scratch) {              \
    product(a, a_element, a_stride, m, b, b_element, b_stride, n, d, c, c_stride, scratch);      \
  }

PRODUCT(product_f32, float, ELEMENT_F32, float, ELEMENT_F32)
PRODUCT(product_f32_f16, float, ELEMENT_F32, uint16_t, ELEMENT_F16)
PRODUCT(product_f16, uint16_t, ELEMENT_F16, uint16_t, ELEMENT_F16)
PRODUCT(product_f32_bf16, float, ELEMENT_F32, uint16_t, ELEMENT_BF16)
PRODUCT(product_bf16, uint16_t, ELEMENT_BF16, uint16_t, ELEMENT_BF16)

// --- Sparse times dense

#define STRIP_VECTORS 10

// Rows that are asked for before they are added.
#define STRIP_AHEAD 8

// Adds some rows to the sums of one strip of columns.
INLINE void strip_rows(int vector_count, size_t last_count, const float *weights,
                       const int32_t *rows, size_t count, int is_ahead, const float *dense,
                       size_t stride, V *sums) {
  for (size_t i = 0; i < count; i++) {
    const float *row = dense + (size_t)rows[i] * stride;
    if (is_ahead) {
      const float *later = dense + (size_t)rows[i + STRIP_AHEAD] * stride;
      UNROLL for (int v = 0; v < vector_count; v++) __builtin_prefetch(later + v * LANES);
    }
    V weight = v_set(weights[i]);
    UNROLL for (int v = 0; v + 1 < vector_count; v++) {
      sums[v] = v_fma(weight, v_load(row + v * LANES), sums[v]);
    }
    const float *last = row + (vector_count - 1) * LANES;
    V value = last_count == LANES ? v_load(last) : v_load_first(last, last_count);
    sums[vector_count - 1] = v_fma(weight, value, sums[vector_count - 1]);
  }
}

// The sums of one strip of columns stay in registers while the rows go by.
INLINE void strip(int vector_count, size_t last_count, const float *weights, const int32_t *rows,
                  size_t count, const float *dense, size_t stride, float *out) {
  V sums[STRIP_VECTORS];
  UNROLL for (int v = 0; v < vector_count; v++) sums[v] = v_zero();
  size_t ahead = count < STRIP_AHEAD ? 0 : count - STRIP_AHEAD;
  strip_rows(vector_count, last_count, weights, rows, ahead, 1, dense, stride, sums);
  strip_rows(vector_count, last_count, weights + ahead, rows + ahead, count - ahead, 0, dense,
             stride, sums);
  UNROLL for (int v = 0; v + 1 < vector_count; v++) v_store(out + v * LANES, sums[v]);
  v_store_first(out + (vector_count - 1) * LANES, sums[vector_count - 1], last_count);
}

// Whole vectors are known as such where the strip is compiled, so that no row asks again.
#define STRIP_OF(vectors)                                                           \
  case vectors:                                                                     \
    if (last_count == LANES) {                                                      \
      strip(vectors, LANES, weights, rows, count, dense + j, stride, out + j);      \
    } else {                                                                        \
      strip(vectors, last_count, weights, rows, count, dense + j, stride, out + j); \
    }                                                                               \
    break;

KERNEL void weighted_rows_f32(const float *weights, const int32_t *rows, size_t count,
                              const float *dense, size_t stride, size_t n, float *out) {
  size_t vector_count = (n + LANES - 1) / LANES;
  size_t strip_count = (vector_count + STRIP_VECTORS - 1) / STRIP_VECTORS;
  for (size_t s = 0; s < strip_count; s++) {
    size_t first = vector_count * s / strip_count;
    size_t end = vector_count * (s + 1) / strip_count;
    size_t j = first * LANES;
    size_t last_count = end == vector_count ? n - (end - 1) * LANES : LANES;
    switch (end - first) {
      STRIP_OF(1)
      STRIP_OF(2)
      STRIP_OF(3)
      STRIP_OF(4)
      STRIP_OF(5)
      STRIP_OF(6)
      STRIP_OF(7)
      STRIP_OF(8)
      STRIP_OF(9)
      STRIP_OF(10)
    }
  }
}

// --- Selection

// Few numbers pass, so most blocks are done after one look, a loop that compilers turn into vectors.
#define SELECT_BLOCK 64

enum { SELECT_PLAIN, SELECT_SCALED, SELECT_SHIFTED };

INLINE float selected_value(const float *x, const float *y, size_t i, int op) {
  return op == SELECT_PLAIN ? x[i] : op == SELECT_SCALED ? x[i] * y[i] : x[i] - y[i];
}

INLINE size_t select_of(const float *x, const float *y, size_t n, float bound, uint32_t *out,
                        int op) {
  size_t count = 0, i = 0;
  for (; i + SELECT_BLOCK <= n; i += SELECT_BLOCK) {
    int hits = 0;
    for (size_t j = i; j < i + SELECT_BLOCK; j++) hits |= !(selected_value(x, y, j, op) < bound);
    if (!hits) continue;
    for (size_t j = i; j < i + SELECT_BLOCK; j++) {
      out[count] = (uint32_t)j;
      count += !(selected_value(x, y, j, op) < bound);
    }
  }
  for (; i < n; i++) {
    if (!(selected_value(x, y, i, op) < bound)) out[count++] = (uint32_t)i;
  }
  return count;
}

KERNEL size_t select_f32(const float *x, size_t n, float bound, uint32_t *out) {
  return select_of(x, x, n, bound, out, SELECT_PLAIN);
}

KERNEL size_t select_scaled_f32(const float *x, const float *y, size_t n, float bound,
                                uint32_t *out) {
  return select_of(x, y, n, bound, out, SELECT_SCALED);
}

KERNEL size_t select_shifted_f32(const float *x, const float *y, size_t n, float bound,
                                 uint32_t *out) {
  return select_of(x, y, n, bound, out, SELECT_SHIFTED);
}
