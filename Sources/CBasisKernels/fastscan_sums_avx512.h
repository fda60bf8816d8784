// The sums of a block of 4-bit codes, for up to four queries.
// A group a register: four parts.
TARGET static inline __attribute__((always_inline)) void block_sums_of(
    const uint8_t *block, size_t groups, const uint8_t *const *tables, size_t query_count,
    uint16_t (*sums)[32]) {
  const __m512i nibble = _mm512_set1_epi8(15), byte = _mm512_set1_epi16(255);
  __m512i wide[4][4];
  for (size_t first = 0; first < groups; first += BASIS_SCAN_RUN) {
    size_t end = groups - first < BASIS_SCAN_RUN ? groups : first + BASIS_SCAN_RUN;
    __m512i low[4], high[4];
    for (size_t q = 0; q < query_count; q++) low[q] = high[q] = _mm512_setzero_si512();
    for (size_t g = first; g < end; g++) {
      __m512i codes = _mm512_loadu_si512(block + 64 * g);
      __m512i a = _mm512_and_si512(codes, nibble);
      __m512i b = _mm512_and_si512(_mm512_srli_epi16(codes, 4), nibble);
      for (size_t q = 0; q < query_count; q++) {
        __m512i table = _mm512_loadu_si512(tables[q] + 64 * g);
        low[q] = _mm512_add_epi8(low[q], _mm512_shuffle_epi8(table, a));
        high[q] = _mm512_add_epi8(high[q], _mm512_shuffle_epi8(table, b));
      }
    }
    for (size_t q = 0; q < query_count; q++) {
      __m512i parts[4] = {_mm512_and_si512(low[q], byte), _mm512_srli_epi16(low[q], 8),
                          _mm512_and_si512(high[q], byte), _mm512_srli_epi16(high[q], 8)};
      for (int i = 0; i < 4; i++) {
        wide[q][i] = first == 0 ? parts[i] : _mm512_add_epi16(wide[q][i], parts[i]);
      }
    }
  }
  for (size_t q = 0; q < query_count; q++) {
    // The four quarters of each of four registers added up, into the quarters of one.
    __m512i *w = wide[q];
    __m512i a = _mm512_add_epi16(_mm512_shuffle_i64x2(w[0], w[1], 0x88),
                                 _mm512_shuffle_i64x2(w[0], w[1], 0xDD));
    __m512i b = _mm512_add_epi16(_mm512_shuffle_i64x2(w[2], w[3], 0x88),
                                 _mm512_shuffle_i64x2(w[2], w[3], 0xDD));
    __m512i total =
        _mm512_add_epi16(_mm512_shuffle_i64x2(a, b, 0x88), _mm512_shuffle_i64x2(a, b, 0xDD));
    _mm512_storeu_si512(sums[q], total);
  }
}

TARGET static inline __attribute__((always_inline)) void block_sums(
    const uint8_t *block, size_t groups, const uint8_t *const *tables, size_t query_count,
    uint16_t (*sums)[32]) {
  switch (query_count) {
    case 1:
      block_sums_of(block, groups, tables, 1, sums);
      break;
    case 2:
      block_sums_of(block, groups, tables, 2, sums);
      break;
    case 3:
      block_sums_of(block, groups, tables, 3, sums);
      break;
    default:
      block_sums_of(block, groups, tables, 4, sums);
  }
}
