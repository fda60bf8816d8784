// The sums of a block of 4-bit codes, for up to four queries.
// Half a group a register: two parts.
TARGET static inline __attribute__((always_inline)) void block_sums_of(
    const uint8_t *block, size_t groups, const uint8_t *const *tables, size_t query_count,
    uint16_t (*sums)[32]) {
  const __m256i nibble = _mm256_set1_epi8(15), byte = _mm256_set1_epi16(255);
  __m256i wide[2][4];
  for (size_t q = 0; q < query_count; q++) {
    for (int i = 0; i < 4; i++) wide[q][i] = _mm256_setzero_si256();
  }
  for (size_t first = 0; first < groups; first += BASIS_SCAN_RUN) {
    size_t end = groups - first < BASIS_SCAN_RUN ? groups : first + BASIS_SCAN_RUN;
    for (size_t half = 0; half < 2; half++) {
      __m256i low[2], high[2];
      for (size_t q = 0; q < query_count; q++) low[q] = high[q] = _mm256_setzero_si256();
      for (size_t g = first; g < end; g++) {
        __m256i codes = _mm256_loadu_si256((const __m256i *)(block + 64 * g + 32 * half));
        __m256i a = _mm256_and_si256(codes, nibble);
        __m256i b = _mm256_and_si256(_mm256_srli_epi16(codes, 4), nibble);
        for (size_t q = 0; q < query_count; q++) {
          __m256i table = _mm256_loadu_si256((const __m256i *)(tables[q] + 64 * g + 32 * half));
          low[q] = _mm256_add_epi8(low[q], _mm256_shuffle_epi8(table, a));
          high[q] = _mm256_add_epi8(high[q], _mm256_shuffle_epi8(table, b));
        }
      }
      for (size_t q = 0; q < query_count; q++) {
        wide[q][0] = _mm256_add_epi16(wide[q][0], _mm256_and_si256(low[q], byte));
        wide[q][1] = _mm256_add_epi16(wide[q][1], _mm256_srli_epi16(low[q], 8));
        wide[q][2] = _mm256_add_epi16(wide[q][2], _mm256_and_si256(high[q], byte));
        wide[q][3] = _mm256_add_epi16(wide[q][3], _mm256_srli_epi16(high[q], 8));
      }
    }
  }
  for (size_t q = 0; q < query_count; q++) {
    for (int i = 0; i < 4; i += 2) {
      __m256i a = _mm256_permute2x128_si256(wide[q][i], wide[q][i + 1], 0x20);
      __m256i b = _mm256_permute2x128_si256(wide[q][i], wide[q][i + 1], 0x31);
      _mm256_storeu_si256((__m256i *)(sums[q] + 8 * i), _mm256_add_epi16(a, b));
    }
  }
}

TARGET static void block_sums(const uint8_t *block, size_t groups, const uint8_t *const *tables,
                              size_t query_count, uint16_t (*sums)[32]) {
  size_t q = 0;
  for (; q + 2 <= query_count; q += 2) block_sums_of(block, groups, tables + q, 2, sums + q);
  if (q < query_count) block_sums_of(block, groups, tables + q, 1, sums + q);
}
