// The kernels of bits for the level called PAIR, from NAMED(distances), as rows_body.h wants it.
#define QUERY uint64_t
#define ROW uint64_t
#define OUT int32_t
#define FIRST hamming
#define SECOND and
#define DISTANCES NAMED(distances)
#include "rows_body.h"

// Rows of b are taken in blocks that the second-level cache keeps while the rows of a go by.
INLINE void NAMED(pairs)(const uint64_t *a, size_t a_stride, size_t m, const uint64_t *b,
                         size_t b_stride, size_t n, size_t d, int32_t *c, size_t c_stride,
                         int op) {
  size_t block = 32768 / (d + 1) / ROWS_AT_ONCE * ROWS_AT_ONCE;
  if (block < 16) block = 16;
  for (size_t j = 0; j < n; j += block) {
    size_t b_count = n - j < block ? n - j : block;
    for (size_t i = 0; i < m; i++) {
      JOIN(JOIN(hamming, PAIR), of_rows)(a + i * a_stride, b + j * b_stride, b_count, b_stride, d,
                                         c + i * c_stride + j, op);
    }
  }
}

KERNEL void JOIN(JOIN(hamming, PAIR), pairs)(const uint64_t *a, size_t a_stride, size_t m,
                                             const uint64_t *b, size_t b_stride, size_t n,
                                             size_t d, int32_t *c, size_t c_stride) {
  NAMED(pairs)(a, a_stride, m, b, b_stride, n, d, c, c_stride, 0);
}

KERNEL void JOIN(JOIN(and, PAIR), pairs)(const uint64_t *a, size_t a_stride, size_t m,
                                         const uint64_t *b, size_t b_stride, size_t n, size_t d,
                                         int32_t *c, size_t c_stride) {
  NAMED(pairs)(a, a_stride, m, b, b_stride, n, d, c, c_stride, 1);
}

#undef QUERY
#undef ROW
