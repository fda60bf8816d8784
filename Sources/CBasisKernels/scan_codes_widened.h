// Sums of products of bytes by way of 16-bit words, for a level with
//   W, WIDTH                          the vector, and how many make up the 16 sums of a block
//   w_zero, w_load, w_store, w_set    of 32-bit numbers
//   w_even, w_odd                     the even and the odd unsigned bytes of every word
//   w_signed_even, w_signed_odd       the same of signed ones
//   w_add_products(sum, a, b), w_sub
//
// Bytes times bytes would not fit the 16 bits of pmaddubsw.
#define UNROLL _Pragma("clang loop unroll(full)")

INLINE void widened_sums(const uint8_t *block, size_t groups, const int8_t *const *queries,
                         size_t query_count, int32_t *sums) {
  W totals[4][WIDTH];
  UNROLL for (size_t q = 0; q < query_count; q++) {
    UNROLL for (size_t w = 0; w < WIDTH; w++) totals[q][w] = w_zero();
  }
  for (size_t g = 0; g < groups; g++) {
    W even[WIDTH], odd[WIDTH];
    UNROLL for (size_t w = 0; w < WIDTH; w++) {
      W bytes = w_load(block + 64 * g + 64 / WIDTH * w);
      even[w] = w_even(bytes);
      odd[w] = w_odd(bytes);
    }
    UNROLL for (size_t q = 0; q < query_count; q++) {
      int32_t four;
      __builtin_memcpy(&four, queries[q] + 4 * g, 4);
      W values = w_set(four);
      W even_values = w_signed_even(values), odd_values = w_signed_odd(values);
      UNROLL for (size_t w = 0; w < WIDTH; w++) {
        totals[q][w] = w_add_products(totals[q][w], even[w], even_values);
        totals[q][w] = w_add_products(totals[q][w], odd[w], odd_values);
      }
    }
  }
  UNROLL for (size_t q = 0; q < query_count; q++) {
    UNROLL for (size_t w = 0; w < WIDTH; w++) {
      w_store(sums + q * BASIS_CODE_SCAN_ROWS + 16 / WIDTH * w, totals[q][w]);
    }
  }
}

INLINE void byte_sums(const uint8_t *blocks, size_t block_count, size_t groups,
                      const int8_t *const *queries, size_t query_count, int32_t *sums) {
  for (size_t b = 0; b < block_count; b++) {
    const uint8_t *block = blocks + b * groups * BASIS_BYTES_GROUP_BYTES;
    int32_t *out = sums + b * BASIS_BYTES_BLOCK;
    size_t q = 0;
    for (; q + 4 <= query_count; q += 4) {
      widened_sums(block, groups, queries + q, 4, out + q * BASIS_CODE_SCAN_ROWS);
    }
    for (; q + 2 <= query_count; q += 2) {
      widened_sums(block, groups, queries + q, 2, out + q * BASIS_CODE_SCAN_ROWS);
    }
    for (; q < query_count; q++) {
      widened_sums(block, groups, queries + q, 1, out + q * BASIS_CODE_SCAN_ROWS);
    }
  }
}
