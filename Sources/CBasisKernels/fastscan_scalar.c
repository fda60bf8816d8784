#include "fastscan_tables.h"

#define TARGET
#define LEVEL_NAME "scalar"
#define LEVEL_TABLE basis_scan_scalar

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

static inline uint32_t block_mask(const uint16_t *sums, uint16_t limit) {
  uint32_t mask = 0;
  for (size_t i = 0; i < 32; i++) mask |= (uint32_t)(sums[i] <= limit) << i;
  return mask;
}

#include "fastscan_body.h"
