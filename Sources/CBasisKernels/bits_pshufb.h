// Sums of bits for levels that look them up, four at a time; for the level called PAIR:
//   I, BIT_LANES      the vector, and its number of 64-bit words
//   b_load, b_load_first, b_combine(a, b, op), i_zero, i_add, i_sum, i_sum4
//   b_count_bytes     bits in every byte; b_add_bytes, of bytes; b_sum_bytes, of every eight
//   b_xor, b_majority   of three, bit by bit; b_double, of 64-bit lanes
//
// Short vectors go four rows at a time. From eight vectors on, carry-save adders turn eight into
// one to look up and three that wait (Harley & Seal; Mula, Kurz & Lemire, Computer Journal 61
// (2018), doi:10.1093/comjnl/bxx046).
#define LONG_VECTORS 8

INLINE void NAMED(add_carry)(I *sum, I *carry, I a, I b) {
  *carry = b_majority(*sum, a, b);
  *sum = b_xor(*sum, a, b);
}

INLINE I NAMED(long_sums)(const uint64_t *a, const uint64_t *b, size_t n, int op) {
  I ones = i_zero(), twos = i_zero(), fours = i_zero(), sums = i_zero();
  size_t i = 0;
  for (; i + LONG_VECTORS * BIT_LANES <= n; i += LONG_VECTORS * BIT_LANES) {
    I x[LONG_VECTORS], two[2], four[2], eight;
    UNROLL for (int v = 0; v < LONG_VECTORS; v++) {
      x[v] = b_combine(b_load(a + i + v * BIT_LANES), b_load(b + i + v * BIT_LANES), op);
    }
    UNROLL for (int half = 0; half < 2; half++) {
      UNROLL for (int v = 0; v < 2; v++) {
        NAMED(add_carry)(&ones, &two[v], x[4 * half + 2 * v], x[4 * half + 2 * v + 1]);
      }
      NAMED(add_carry)(&twos, &four[half], two[0], two[1]);
    }
    NAMED(add_carry)(&fours, &eight, four[0], four[1]);
    sums = i_add(sums, b_sum_bytes(b_count_bytes(eight)));
  }
  sums = i_add(b_double(sums), b_sum_bytes(b_count_bytes(fours)));
  sums = i_add(b_double(sums), b_sum_bytes(b_count_bytes(twos)));
  sums = i_add(b_double(sums), b_sum_bytes(b_count_bytes(ones)));
  return sums;
}

// Fewer than LONG_VECTORS whole vectors and a tail: a byte's count stays below 65.
INLINE void NAMED(short_sums)(const uint64_t *query, const uint64_t *const *rows, int row_count,
                              size_t start, size_t n, int op, I *totals) {
  I bytes[ROWS_AT_ONCE];
  UNROLL for (int r = 0; r < row_count; r++) bytes[r] = i_zero();
  size_t i = start;
  for (; i + BIT_LANES <= n; i += BIT_LANES) {
    I q = b_load(query + i);
    UNROLL for (int r = 0; r < row_count; r++) {
      bytes[r] = b_add_bytes(bytes[r], b_count_bytes(b_combine(b_load(rows[r] + i), q, op)));
    }
  }
  if (i < n) {
    I q = b_load_first(query + i, n - i);
    UNROLL for (int r = 0; r < row_count; r++) {
      I row = b_load_first(rows[r] + i, n - i);
      bytes[r] = b_add_bytes(bytes[r], b_count_bytes(b_combine(row, q, op)));
    }
  }
  UNROLL for (int r = 0; r < row_count; r++) totals[r] = b_sum_bytes(bytes[r]);
}

INLINE void NAMED(distances)(const uint64_t *query, const uint64_t *const *rows, int row_count,
                             size_t n, int32_t *out, int op) {
  I totals[ROWS_AT_ONCE];
  size_t end = n / (LONG_VECTORS * BIT_LANES) * (LONG_VECTORS * BIT_LANES);
  NAMED(short_sums)(query, rows, row_count, end, n, op, totals);
  if (end > 0) {
    for (int r = 0; r < row_count; r++) {
      totals[r] = i_add(totals[r], NAMED(long_sums)(query, rows[r], end, op));
    }
  }
  if (row_count == ROWS_AT_ONCE) {
    i_sum4(totals, out);
  } else {
    UNROLL for (int r = 0; r < row_count; r++) out[r] = i_sum(totals[r]);
  }
}

#include "bits_body.h"
