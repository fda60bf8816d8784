#include "fastscan_tables.h"

#define TARGET
#define LEVEL_NAME "scalar"
#define LEVEL_TABLE basis_scan_scalar

#include "fastscan_sums_scalar.h"

static inline uint32_t block_mask(const uint16_t *sums, uint16_t limit) {
  uint32_t mask = 0;
  for (size_t i = 0; i < 32; i++) mask |= (uint32_t)(sums[i] <= limit) << i;
  return mask;
}

#include "fastscan_body.h"
