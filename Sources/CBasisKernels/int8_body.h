// The kernels of int8 for the level called PAIR:
//   TILE_ROWS_I8      rows of the left side that a tile of pairs holds
//   NAMED(distances)  as rows_body.h wants it
//   NAMED(offset)(row, d), NAMED(tile)(a, offsets, b, d, out)   dot products of TILE_ROWS_I8 rows
//                     by ROWS_AT_ONCE, given what the rows' offset was
#define QUERY int8_t
#define ROW int8_t
#define OUT int32_t
#define FIRST dot
#define SECOND l2
#define DISTANCES NAMED(distances)
#include "rows_body.h"

// Rows of b are taken in blocks that the second-level cache keeps while the rows of a go by.
#define PAIRS_BLOCK_BYTES 262144
#define PAIRS_BLOCK_ROWS 256

INLINE size_t NAMED(block_rows)(size_t d) {
  size_t rows = PAIRS_BLOCK_BYTES / (d + 1) / ROWS_AT_ONCE * ROWS_AT_ONCE;
  return rows < 16 ? 16 : rows > PAIRS_BLOCK_ROWS ? PAIRS_BLOCK_ROWS : rows;
}

INLINE int32_t NAMED(norm)(const int8_t *row, size_t d) {
  int32_t norm;
  NAMED(distances)(row, &row, 1, d, &norm, 0);
  return norm;
}

// Squared distances come from |a|^2 + |b|^2 - 2 a . b, which integers do not round. Unsigned, so
// that what wraps on the way comes out right in the end.
INLINE void NAMED(pairs)(const int8_t *a, size_t a_stride, size_t m, const int8_t *b,
                         size_t b_stride, size_t n, size_t d, int32_t *c, size_t c_stride,
                         int difference) {
  uint32_t b_norms[PAIRS_BLOCK_ROWS];
  size_t block = NAMED(block_rows)(d);
  for (size_t j = 0; j < n; j += block) {
    size_t b_count = n - j < block ? n - j : block;
    const int8_t *b_start = b + j * b_stride;
    size_t i = 0;
    if (difference && m >= TILE_ROWS_I8) {
      for (size_t s = 0; s < b_count; s++) {
        b_norms[s] = (uint32_t)NAMED(norm)(b_start + s * b_stride, d);
      }
    }
    for (; i + TILE_ROWS_I8 <= m; i += TILE_ROWS_I8) {
      const int8_t *left[TILE_ROWS_I8];
      int32_t offsets[TILE_ROWS_I8];
      uint32_t a_norms[TILE_ROWS_I8];
      UNROLL for (int r = 0; r < TILE_ROWS_I8; r++) {
        left[r] = a + (i + r) * a_stride;
        offsets[r] = NAMED(offset)(left[r], d);
        a_norms[r] = difference ? (uint32_t)NAMED(norm)(left[r], d) : 0;
      }
      for (size_t s = 0; s < b_count; s += ROWS_AT_ONCE) {
        // Beyond the end the last row again, whose results nobody takes.
        size_t last = b_count - s - 1;
        const int8_t *right[ROWS_AT_ONCE];
        UNROLL for (size_t t = 0; t < ROWS_AT_ONCE; t++) {
          right[t] = b_start + (s + (t < last ? t : last)) * b_stride;
        }
        int32_t dots[TILE_ROWS_I8][ROWS_AT_ONCE];
        NAMED(tile)(left, offsets, right, d, dots);
        UNROLL for (int r = 0; r < TILE_ROWS_I8; r++) {
          int32_t *out = c + (i + r) * c_stride + j + s;
          for (size_t t = 0; t < ROWS_AT_ONCE && t <= last; t++) {
            uint32_t dot = (uint32_t)dots[r][t];
            out[t] = (int32_t)(difference ? a_norms[r] + b_norms[s + t] - 2 * dot : dot);
          }
        }
      }
    }
    for (; i < m; i++) {
      JOIN(JOIN(dot, PAIR), of_rows)(a + i * a_stride, b_start, b_count, b_stride, d,
                                     c + i * c_stride + j, difference);
    }
  }
}

KERNEL void JOIN(JOIN(dot, PAIR), pairs)(const int8_t *a, size_t a_stride, size_t m,
                                         const int8_t *b, size_t b_stride, size_t n, size_t d,
                                         int32_t *c, size_t c_stride) {
  NAMED(pairs)(a, a_stride, m, b, b_stride, n, d, c, c_stride, 0);
}

KERNEL void JOIN(JOIN(l2, PAIR), pairs)(const int8_t *a, size_t a_stride, size_t m, const int8_t *b,
                                        size_t b_stride, size_t n, size_t d, int32_t *c,
                                        size_t c_stride) {
  NAMED(pairs)(a, a_stride, m, b, b_stride, n, d, c, c_stride, 1);
}

#undef QUERY
#undef ROW
