// Dot products of int8 by vpdpbusd, for the level called PAIR. It multiplies unsigned by signed
// bytes, and adds four products to a 32-bit sum without saturation. Rows become unsigned by adding
// 128, which is flipping the upper bit, and the query's sum gives back what that added:
//   a . b = sum of a[i] * (b[i] + 128) - 128 * sum of a[i]
// Where the query's tail is loaded as zero, the row's does not matter.
INLINE I NAMED(load_unsigned)(const int8_t *p) {
  return _mm512_xor_si512(_mm512_loadu_si512(p), _mm512_set1_epi8(-128));
}
INLINE I NAMED(load_unsigned_first)(const int8_t *p, size_t count) {
  return _mm512_xor_si512(b_load_bytes_first(p, count), _mm512_set1_epi8(-128));
}
INLINE I NAMED(add_bytes)(I sum, I bytes) {
  return _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1), bytes);
}

INLINE void NAMED(dots)(const int8_t *query, const int8_t *const *rows, int row_count, size_t n,
                        int32_t *out) {
  I sums[ROWS_AT_ONCE][2], offsets[2];
  UNROLL for (int r = 0; r < row_count; r++) sums[r][0] = sums[r][1] = i_zero();
  offsets[0] = offsets[1] = i_zero();
  size_t i = 0;
  for (; i + 128 <= n; i += 128) {
    UNROLL for (int s = 0; s < 2; s++) {
      I q = _mm512_loadu_si512(query + i + s * 64);
      offsets[s] = NAMED(add_bytes)(offsets[s], q);
      UNROLL for (int r = 0; r < row_count; r++) {
        I row = NAMED(load_unsigned)(rows[r] + i + s * 64);
        sums[r][s] = _mm512_dpbusd_epi32(sums[r][s], row, q);
      }
    }
  }
  if (i + 64 <= n) {
    I q = _mm512_loadu_si512(query + i);
    offsets[0] = NAMED(add_bytes)(offsets[0], q);
    UNROLL for (int r = 0; r < row_count; r++) {
      sums[r][0] = _mm512_dpbusd_epi32(sums[r][0], NAMED(load_unsigned)(rows[r] + i), q);
    }
    i += 64;
  }
  if (i < n) {
    I q = b_load_bytes_first(query + i, n - i);
    offsets[1] = NAMED(add_bytes)(offsets[1], q);
    UNROLL for (int r = 0; r < row_count; r++) {
      I row = NAMED(load_unsigned_first)(rows[r] + i, n - i);
      sums[r][1] = _mm512_dpbusd_epi32(sums[r][1], row, q);
    }
  }
  I added = _mm512_slli_epi32(i_add(offsets[0], offsets[1]), 7);
  I totals[ROWS_AT_ONCE];
  UNROLL for (int r = 0; r < row_count; r++) {
    totals[r] = _mm512_sub_epi32(i_add(sums[r][0], sums[r][1]), added);
  }
  if (row_count == ROWS_AT_ONCE) {
    i_sum4(totals, out);
  } else {
    UNROLL for (int r = 0; r < row_count; r++) out[r] = i_sum(totals[r]);
  }
}

INLINE void NAMED(distances)(const int8_t *query, const int8_t *const *rows, int row_count,
                             size_t n, int32_t *out, int difference) {
  if (difference) {
    NAMED(widened)(query, rows, row_count, n, out, 1);
  } else {
    NAMED(dots)(query, rows, row_count, n, out);
  }
}

INLINE int32_t NAMED(offset)(const int8_t *a, size_t d) {
  I sum = i_zero();
  size_t i = 0;
  for (; i + 64 <= d; i += 64) sum = NAMED(add_bytes)(sum, _mm512_loadu_si512(a + i));
  if (i < d) sum = NAMED(add_bytes)(sum, b_load_bytes_first(a + i, d - i));
  return 128 * i_sum(sum);
}

INLINE void NAMED(tile)(const int8_t *const *a, const int32_t *offsets, const int8_t *const *b,
                        size_t d, int32_t (*out)[ROWS_AT_ONCE]) {
  I sums[TILE_ROWS_I8][ROWS_AT_ONCE];
  UNROLL for (int r = 0; r < TILE_ROWS_I8; r++) {
    UNROLL for (int s = 0; s < ROWS_AT_ONCE; s++) sums[r][s] = i_zero();
  }
  size_t i = 0;
  for (; i + 64 <= d; i += 64) {
    I left[TILE_ROWS_I8];
    UNROLL for (int r = 0; r < TILE_ROWS_I8; r++) left[r] = _mm512_loadu_si512(a[r] + i);
    UNROLL for (int s = 0; s < ROWS_AT_ONCE; s++) {
      I right = NAMED(load_unsigned)(b[s] + i);
      UNROLL for (int r = 0; r < TILE_ROWS_I8; r++) {
        sums[r][s] = _mm512_dpbusd_epi32(sums[r][s], right, left[r]);
      }
    }
  }
  if (i < d) {
    I left[TILE_ROWS_I8];
    UNROLL for (int r = 0; r < TILE_ROWS_I8; r++) left[r] = b_load_bytes_first(a[r] + i, d - i);
    UNROLL for (int s = 0; s < ROWS_AT_ONCE; s++) {
      I right = NAMED(load_unsigned_first)(b[s] + i, d - i);
      UNROLL for (int r = 0; r < TILE_ROWS_I8; r++) {
        sums[r][s] = _mm512_dpbusd_epi32(sums[r][s], right, left[r]);
      }
    }
  }
  UNROLL for (int r = 0; r < TILE_ROWS_I8; r++) {
    i_sum4(sums[r], out[r]);
    UNROLL for (int s = 0; s < ROWS_AT_ONCE; s++) {
      out[r][s] = (int32_t)((uint32_t)out[r][s] - (uint32_t)offsets[r]);
    }
  }
}
