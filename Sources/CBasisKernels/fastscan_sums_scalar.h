// The sums of a block of 4-bit codes, for up to four queries.
static inline void block_sums(const uint8_t *block, size_t groups, const uint8_t *const *tables,
                              size_t query_count, uint16_t (*sums)[32]) {
  for (size_t q = 0; q < query_count; q++) {
    for (size_t i = 0; i < 32; i++) sums[q][i] = 0;
    for (size_t part = 0; part < 4 * groups; part++) {
      const uint8_t *bytes = block + 16 * part, *table = tables[q] + 16 * part;
      for (size_t j = 0; j < 16; j++) {
        size_t code = j / 2 + j % 2 * 8;
        sums[q][code] += table[bytes[j] & 15];
        sums[q][code + 16] += table[bytes[j] >> 4];
      }
    }
  }
}
