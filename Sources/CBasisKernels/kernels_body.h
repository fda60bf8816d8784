// The kernels, written once over a vector type. A level's file defines, and then includes this:
//   TARGET            function attribute that allows its instructions
//   LEVEL_NAME        what BASIS_SIMD_LEVEL calls it
//   LEVEL_TABLE       the table's name
//   V, LANES          the vector and its number of floats
//   TILE_ROWS, TILE_VECTORS   the product's register tile: that many rows by vectors
//   v_zero, v_set, v_load, v_store, v_load_first, v_store_first (the first count lanes; the others
//   load as zero), v_add, v_sub, v_fma, v_sum, v_sum4 (each of four as v_sum), pack_columns
//
// Loops over constants unroll, so that arrays of vectors live in registers.
#define KERNEL TARGET static
#define INLINE TARGET static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

// --- Distances

// Four sums per row, added up in one fixed order: this is what makes the bits of a pair the same
// among one row and among four.
#define ACCUMULATORS 4
#define ROWS_AT_ONCE 4

INLINE V add_term(V q, V r, V sum, int difference) {
  if (!difference) return v_fma(q, r, sum);
  V delta = v_sub(q, r);
  return v_fma(delta, delta, sum);
}

INLINE void add_vector(const float *query, const float *const *rows, int row_count, size_t i,
                       V (*sums)[ACCUMULATORS], int which, int difference) {
  V q = v_load(query + i);
  UNROLL for (int r = 0; r < row_count; r++) {
    sums[r][which] = add_term(q, v_load(rows[r] + i), sums[r][which], difference);
  }
}

INLINE void distances(const float *query, const float *const *rows, int row_count, size_t n,
                      float *out, int difference) {
  V sums[ROWS_AT_ONCE][ACCUMULATORS];
  UNROLL for (int r = 0; r < row_count; r++) {
    UNROLL for (int s = 0; s < ACCUMULATORS; s++) sums[r][s] = v_zero();
  }
  size_t i = 0;
  for (; i + ACCUMULATORS * LANES <= n; i += ACCUMULATORS * LANES) {
    UNROLL for (int s = 0; s < ACCUMULATORS; s++) {
      add_vector(query, rows, row_count, i + s * LANES, sums, s, difference);
    }
  }
  if (i + LANES <= n) {
    add_vector(query, rows, row_count, i, sums, 0, difference);
    i += LANES;
    if (i + LANES <= n) {
      add_vector(query, rows, row_count, i, sums, 1, difference);
      i += LANES;
      if (i + LANES <= n) {
        add_vector(query, rows, row_count, i, sums, 2, difference);
        i += LANES;
      }
    }
  }
  if (i < n) {
    V q = v_load_first(query + i, n - i);
    UNROLL for (int r = 0; r < row_count; r++) {
      sums[r][3] = add_term(q, v_load_first(rows[r] + i, n - i), sums[r][3], difference);
    }
  }
  V totals[ROWS_AT_ONCE];
  UNROLL for (int r = 0; r < row_count; r++) {
    totals[r] = v_add(v_add(sums[r][0], sums[r][1]), v_add(sums[r][2], sums[r][3]));
  }
  if (row_count == ROWS_AT_ONCE) {
    v_sum4(totals, out);
  } else {
    UNROLL for (int r = 0; r < row_count; r++) out[r] = v_sum(totals[r]);
  }
}

KERNEL float dot_f32(const float *a, const float *b, size_t n) {
  float out;
  distances(a, &b, 1, n, &out, 0);
  return out;
}

KERNEL float l2_f32(const float *a, const float *b, size_t n) {
  float out;
  distances(a, &b, 1, n, &out, 1);
  return out;
}

INLINE void distances_of_rows(const float *query, const float *rows, size_t row_count,
                              size_t stride, size_t n, float *out, int difference) {
  size_t r = 0;
  for (; r + ROWS_AT_ONCE <= row_count; r += ROWS_AT_ONCE) {
    const float *first = rows + r * stride;
    const float *const four[] = {first, first + stride, first + 2 * stride, first + 3 * stride};
    distances(query, four, ROWS_AT_ONCE, n, out + r, difference);
  }
  for (; r < row_count; r++) {
    const float *row = rows + r * stride;
    distances(query, &row, 1, n, out + r, difference);
  }
}

KERNEL void dot_f32_rows(const float *query, const float *rows, size_t row_count, size_t stride,
                         size_t n, float *out) {
  distances_of_rows(query, rows, row_count, stride, n, out, 0);
}

KERNEL void l2_f32_rows(const float *query, const float *rows, size_t row_count, size_t stride,
                        size_t n, float *out) {
  distances_of_rows(query, rows, row_count, stride, n, out, 1);
}

INLINE void distances_of_gathered(const float *query, const float *rows, const uint32_t *ids,
                                  size_t id_count, size_t stride, size_t n, float *out,
                                  int difference) {
  size_t i = 0;
  for (; i + ROWS_AT_ONCE <= id_count; i += ROWS_AT_ONCE) {
    // The processor's own prefetcher takes over once a row has begun.
    for (size_t next = i + ROWS_AT_ONCE; next < i + 2 * ROWS_AT_ONCE && next < id_count; next++) {
      const float *row = rows + ids[next] * stride;
      for (size_t line = 0; line < 4 && line * 16 < n; line++) __builtin_prefetch(row + line * 16);
    }
    const float *const four[] = {rows + ids[i] * stride, rows + ids[i + 1] * stride,
                                 rows + ids[i + 2] * stride, rows + ids[i + 3] * stride};
    distances(query, four, ROWS_AT_ONCE, n, out + i, difference);
  }
  for (; i < id_count; i++) {
    const float *row = rows + ids[i] * stride;
    distances(query, &row, 1, n, out + i, difference);
  }
}

KERNEL void dot_f32_gathered(const float *query, const float *rows, const uint32_t *ids,
                             size_t id_count, size_t stride, size_t n, float *out) {
  distances_of_gathered(query, rows, ids, id_count, stride, n, out, 0);
}

KERNEL void l2_f32_gathered(const float *query, const float *rows, const uint32_t *ids,
                            size_t id_count, size_t stride, size_t n, float *out) {
  distances_of_gathered(query, rows, ids, id_count, stride, n, out, 1);
}

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

KERNEL void pack_a(const float *a, size_t stride, size_t row_count, size_t depth, float *out) {
  for (size_t first = 0; first < row_count; first += TILE_ROWS) {
    size_t count = row_count - first < TILE_ROWS ? row_count - first : TILE_ROWS;
    const float *start = a + first * stride;
    for (size_t k = 0; k < depth; k++) {
      for (size_t r = 0; r < count; r++) *out++ = start[r * stride + k];
    }
  }
}

KERNEL void pack_b(const float *b, size_t stride, size_t row_count, size_t depth, float *out) {
  for (size_t first = 0; first < row_count; first += TILE_COLUMNS) {
    size_t count = row_count - first < TILE_COLUMNS ? row_count - first : TILE_COLUMNS;
    pack_columns(b + first * stride, stride, count, depth, out);
    out += TILE_COLUMNS * depth;
  }
}

KERNEL void product_f32(const float *a, size_t a_stride, size_t m, const float *b, size_t b_stride,
                        size_t n, size_t d, float *c, size_t c_stride, float *scratch) {
  if (d == 0) {
    for (size_t i = 0; i < m; i++) {
      for (size_t j = 0; j < n; j++) c[i * c_stride + j] = 0;
    }
    return;
  }
  float *packed_b = (float *)(((uintptr_t)scratch + 63) & ~(uintptr_t)63);
  float *packed_a = packed_b + (size_t)BLOCK_B * DEPTH;
  // Parts of equal length, so that the last one is not a sliver.
  size_t part_count = (d + DEPTH - 1) / DEPTH;
  size_t part = (d + part_count - 1) / part_count;
  for (size_t i = 0; i < m; i += BLOCK_A) {
    size_t a_count = m - i < BLOCK_A ? m - i : BLOCK_A;
    for (size_t k = 0; k < d; k += part) {
      size_t depth = d - k < part ? d - k : part;
      pack_a(a + i * a_stride + k, a_stride, a_count, depth, packed_a);
      for (size_t j = 0; j < n; j += BLOCK_B) {
        size_t b_count = n - j < BLOCK_B ? n - j : BLOCK_B;
        pack_b(b + j * b_stride + k, b_stride, b_count, depth, packed_b);
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

// --- Sparse times dense

#define STRIP_VECTORS 10

// The sums of one strip of columns stay in registers while the rows go by.
INLINE void strip(int vector_count, size_t last_count, const float *weights, const int32_t *rows,
                  size_t count, const float *dense, size_t stride, float *out) {
  V sums[STRIP_VECTORS];
  UNROLL for (int v = 0; v < vector_count; v++) sums[v] = v_zero();
  for (size_t i = 0; i < count; i++) {
    const float *row = dense + (size_t)rows[i] * stride;
    if (i + 8 < count) {
      const float *later = dense + (size_t)rows[i + 8] * stride;
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
  UNROLL for (int v = 0; v + 1 < vector_count; v++) v_store(out + v * LANES, sums[v]);
  v_store_first(out + (vector_count - 1) * LANES, sums[vector_count - 1], last_count);
}

#define STRIP_OF(vectors)                                                         \
  case vectors:                                                                   \
    strip(vectors, last_count, weights, rows, count, dense + j, stride, out + j); \
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

const basis_kernel_table LEVEL_TABLE = {
    LEVEL_NAME,       dot_f32,         l2_f32,      dot_f32_rows,     l2_f32_rows,
    dot_f32_gathered, l2_f32_gathered, product_f32, weighted_rows_f32};
