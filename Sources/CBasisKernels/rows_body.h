// From a function for a few rows, the kernels for one pair, for rows and for gathered rows:
//   FIRST, SECOND     what the two distances are called, before _PAIR
//   QUERY, ROW, OUT   types of the query's and the rows' elements, and of a result
//   DISTANCES(query, rows, row_count, n, out, second)   of 1 or ROWS_AT_ONCE rows, by pointers;
//                     its last two arguments but one and its third are constants
// Undefined again at the end: FIRST, SECOND, OUT and DISTANCES.
#define FIRST_OF(suffix) JOIN(JOIN(FIRST, PAIR), suffix)
#define SECOND_OF(suffix) JOIN(JOIN(SECOND, PAIR), suffix)
#define HELPER(name) JOIN(JOIN(FIRST, PAIR), name)

KERNEL OUT JOIN(FIRST, PAIR)(const QUERY *a, const ROW *b, size_t n) {
  OUT out;
  DISTANCES(a, &b, 1, n, &out, 0);
  return out;
}

KERNEL OUT JOIN(SECOND, PAIR)(const QUERY *a, const ROW *b, size_t n) {
  OUT out;
  DISTANCES(a, &b, 1, n, &out, 1);
  return out;
}

INLINE void HELPER(of_rows)(const QUERY *query, const ROW *rows, size_t row_count, size_t stride,
                            size_t n, OUT *out, int second) {
  size_t r = 0;
  for (; r + ROWS_AT_ONCE <= row_count; r += ROWS_AT_ONCE) {
    const ROW *start = rows + r * stride;
    // The processor's own prefetcher stops at every page. Looking beyond the last row is harmless:
    // nothing is read.
    for (size_t ahead = 0; ahead < ROWS_AT_ONCE; ahead++) {
      const char *row = (const char *)(start + ahead * stride) + PREFETCH_BYTES;
      for (size_t line = 0; line < n * sizeof(ROW); line += 64) __builtin_prefetch(row + line);
    }
    const ROW *const four[] = {start, start + stride, start + 2 * stride, start + 3 * stride};
    DISTANCES(query, four, ROWS_AT_ONCE, n, out + r, second);
  }
  for (; r < row_count; r++) {
    const ROW *row = rows + r * stride;
    DISTANCES(query, &row, 1, n, out + r, second);
  }
}

KERNEL void FIRST_OF(rows)(const QUERY *query, const ROW *rows, size_t row_count, size_t stride,
                           size_t n, OUT *out) {
  HELPER(of_rows)(query, rows, row_count, stride, n, out, 0);
}

KERNEL void SECOND_OF(rows)(const QUERY *query, const ROW *rows, size_t row_count, size_t stride,
                            size_t n, OUT *out) {
  HELPER(of_rows)(query, rows, row_count, stride, n, out, 1);
}

INLINE void HELPER(of_gathered)(const QUERY *query, const ROW *rows, const uint32_t *ids,
                                size_t id_count, size_t stride, size_t n, OUT *out, int second) {
  size_t i = 0;
  for (; i + ROWS_AT_ONCE <= id_count; i += ROWS_AT_ONCE) {
    // The processor's own prefetcher takes over once a row has begun.
    for (size_t next = i + ROWS_AT_ONCE; next < i + 2 * ROWS_AT_ONCE && next < id_count; next++) {
      const char *row = (const char *)(rows + ids[next] * stride);
      for (size_t line = 0; line < 4 && line * 64 < n * sizeof(ROW); line++) {
        __builtin_prefetch(row + line * 64);
      }
    }
    const ROW *const four[] = {rows + ids[i] * stride, rows + ids[i + 1] * stride,
                               rows + ids[i + 2] * stride, rows + ids[i + 3] * stride};
    DISTANCES(query, four, ROWS_AT_ONCE, n, out + i, second);
  }
  for (; i < id_count; i++) {
    const ROW *row = rows + ids[i] * stride;
    DISTANCES(query, &row, 1, n, out + i, second);
  }
}

KERNEL void FIRST_OF(gathered)(const QUERY *query, const ROW *rows, const uint32_t *ids,
                               size_t id_count, size_t stride, size_t n, OUT *out) {
  HELPER(of_gathered)(query, rows, ids, id_count, stride, n, out, 0);
}

KERNEL void SECOND_OF(gathered)(const QUERY *query, const ROW *rows, const uint32_t *ids,
                                size_t id_count, size_t stride, size_t n, OUT *out) {
  HELPER(of_gathered)(query, rows, ids, id_count, stride, n, out, 1);
}

#undef FIRST_OF
#undef SECOND_OF
#undef HELPER
#undef FIRST
#undef SECOND
#undef OUT
#undef DISTANCES
