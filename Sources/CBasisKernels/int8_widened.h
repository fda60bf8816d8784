// Sums over int8 by way of 16-bit words, for the level called PAIR:
//   WIDE_LANES        words in a vector
//   I                 the vector, of words and of 32-bit sums
//   w_load, w_load_first   WIDE_LANES bytes, widened; w_add_products(sum, a, b): products of words,
//                     neighbours added, added to 32-bit sums; w_sub, i_zero, i_add, i_sum, i_sum4
//
// The sum of two products of bytes is 2^15 at most, and of two squares of differences 2 * 255^2:
// pmaddwd holds both, whereas pmaddubsw would saturate at 2^15 - 1.
INLINE I NAMED(add_term)(I q, I r, I sum, int difference) {
  if (!difference) return w_add_products(sum, q, r);
  I delta = w_sub(q, r);
  return w_add_products(sum, delta, delta);
}

// Two sums per row hide the latency of adding.
INLINE void NAMED(widened)(const int8_t *query, const int8_t *const *rows, int row_count, size_t n,
                           int32_t *out, int difference) {
  I sums[ROWS_AT_ONCE][2];
  UNROLL for (int r = 0; r < row_count; r++) sums[r][0] = sums[r][1] = i_zero();
  size_t i = 0;
  for (; i + 2 * WIDE_LANES <= n; i += 2 * WIDE_LANES) {
    UNROLL for (int s = 0; s < 2; s++) {
      I q = w_load(query + i + s * WIDE_LANES);
      UNROLL for (int r = 0; r < row_count; r++) {
        I row = w_load(rows[r] + i + s * WIDE_LANES);
        sums[r][s] = NAMED(add_term)(q, row, sums[r][s], difference);
      }
    }
  }
  if (i + WIDE_LANES <= n) {
    I q = w_load(query + i);
    UNROLL for (int r = 0; r < row_count; r++) {
      sums[r][0] = NAMED(add_term)(q, w_load(rows[r] + i), sums[r][0], difference);
    }
    i += WIDE_LANES;
  }
  if (i < n) {
    I q = w_load_first(query + i, n - i);
    UNROLL for (int r = 0; r < row_count; r++) {
      I row = w_load_first(rows[r] + i, n - i);
      sums[r][1] = NAMED(add_term)(q, row, sums[r][1], difference);
    }
  }
  I totals[ROWS_AT_ONCE];
  UNROLL for (int r = 0; r < row_count; r++) totals[r] = i_add(sums[r][0], sums[r][1]);
  if (row_count == ROWS_AT_ONCE) {
    i_sum4(totals, out);
  } else {
    UNROLL for (int r = 0; r < row_count; r++) out[r] = i_sum(totals[r]);
  }
}

// TILE_ROWS_I8 rows against ROWS_AT_ONCE.
INLINE void NAMED(widened_tile)(const int8_t *const *a, const int8_t *const *b, size_t d,
                                int32_t (*out)[ROWS_AT_ONCE]) {
  I sums[TILE_ROWS_I8][ROWS_AT_ONCE];
  UNROLL for (int r = 0; r < TILE_ROWS_I8; r++) {
    UNROLL for (int s = 0; s < ROWS_AT_ONCE; s++) sums[r][s] = i_zero();
  }
  for (size_t i = 0; i < d; i += WIDE_LANES) {
    size_t count = d - i;
    I left[TILE_ROWS_I8];
    UNROLL for (int r = 0; r < TILE_ROWS_I8; r++) {
      left[r] = count >= WIDE_LANES ? w_load(a[r] + i) : w_load_first(a[r] + i, count);
    }
    UNROLL for (int s = 0; s < ROWS_AT_ONCE; s++) {
      I right = count >= WIDE_LANES ? w_load(b[s] + i) : w_load_first(b[s] + i, count);
      UNROLL for (int r = 0; r < TILE_ROWS_I8; r++) {
        sums[r][s] = w_add_products(sums[r][s], left[r], right);
      }
    }
  }
  UNROLL for (int r = 0; r < TILE_ROWS_I8; r++) i_sum4(sums[r], out[r]);
}
