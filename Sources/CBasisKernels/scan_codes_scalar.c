#include "scan_codes_tables.h"

#define TARGET
#define INLINE static inline __attribute__((always_inline))
#define LEVEL_NAME "scalar"
#define LEVEL_TABLE basis_code_scan_scalar

#include "fastscan_sums_scalar.h"

INLINE void byte_sums(const uint8_t *blocks, size_t block_count, size_t groups,
                      const int8_t *const *queries, size_t query_count, int32_t *sums) {
  for (size_t q = 0; q < query_count; q++) {
    for (size_t b = 0; b < block_count; b++) {
      const uint8_t *block = blocks + b * groups * BASIS_BYTES_GROUP_BYTES;
      int32_t *out = sums + q * BASIS_CODE_SCAN_ROWS + b * BASIS_BYTES_BLOCK;
      for (size_t r = 0; r < BASIS_BYTES_BLOCK; r++) out[r] = 0;
      for (size_t g = 0; g < groups; g++) {
        for (size_t r = 0; r < BASIS_BYTES_BLOCK; r++) {
          for (size_t v = 0; v < 4; v++) {
            out[r] += block[64 * g + 4 * r + v] * queries[q][4 * g + v];
          }
        }
      }
    }
  }
}

INLINE uint32_t mask_not_above(const float *scores, float bound) {
  uint32_t mask = 0;
  for (size_t i = 0; i < 16; i++) mask |= (uint32_t)(scores[i] <= bound) << i;
  return mask;
}

#include "scan_codes_body.h"
