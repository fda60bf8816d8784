// Dot products and squared distances of vectors of two types:
//   PAIR              what the two are called
//   QUERY, ROW        types of their elements
//   LOAD_QUERY, LOAD_QUERY_FIRST, LOAD_ROW, LOAD_ROW_FIRST   v_load and v_load_first of these types
// All are undefined again at the end.
#define NAMED(name) JOIN(name, PAIR)

INLINE void NAMED(add_vector)(const QUERY *query, const ROW *const *rows, int row_count, size_t i,
                              V (*sums)[ACCUMULATORS], int which, int difference) {
  V q = LOAD_QUERY(query + i);
  UNROLL for (int r = 0; r < row_count; r++) {
    sums[r][which] = add_term(q, LOAD_ROW(rows[r] + i), sums[r][which], difference);
  }
}

INLINE void NAMED(distances)(const QUERY *query, const ROW *const *rows, int row_count, size_t n,
                             float *out, int difference) {
  V sums[ROWS_AT_ONCE][ACCUMULATORS];
  UNROLL for (int r = 0; r < row_count; r++) {
    UNROLL for (int s = 0; s < ACCUMULATORS; s++) sums[r][s] = v_zero();
  }
  size_t i = 0;
  for (; i + ACCUMULATORS * LANES <= n; i += ACCUMULATORS * LANES) {
    UNROLL for (int s = 0; s < ACCUMULATORS; s++) {
      NAMED(add_vector)(query, rows, row_count, i + s * LANES, sums, s, difference);
    }
  }
  if (i + LANES <= n) {
    NAMED(add_vector)(query, rows, row_count, i, sums, 0, difference);
    i += LANES;
    if (i + LANES <= n) {
      NAMED(add_vector)(query, rows, row_count, i, sums, 1, difference);
      i += LANES;
      if (i + LANES <= n) {
        NAMED(add_vector)(query, rows, row_count, i, sums, 2, difference);
        i += LANES;
      }
    }
  }
  if (i < n) {
    V q = LOAD_QUERY_FIRST(query + i, n - i);
    UNROLL for (int r = 0; r < row_count; r++) {
      sums[r][3] = add_term(q, LOAD_ROW_FIRST(rows[r] + i, n - i), sums[r][3], difference);
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

#define FIRST dot
#define SECOND l2
#define OUT float
#define DISTANCES NAMED(distances)
#include "rows_body.h"

#undef PAIR
#undef QUERY
#undef ROW
#undef LOAD_QUERY
#undef LOAD_QUERY_FIRST
#undef LOAD_ROW
#undef LOAD_ROW_FIRST
#undef NAMED
