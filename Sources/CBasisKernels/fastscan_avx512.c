#include "fastscan_tables.h"

#if BASIS_X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")))
#define LEVEL_NAME "avx512"
#define LEVEL_TABLE basis_scan_avx512

#include "fastscan_sums_avx512.h"

TARGET static inline uint32_t block_mask(const uint16_t *sums, uint16_t limit) {
  return _mm512_cmple_epu16_mask(_mm512_loadu_si512(sums), _mm512_set1_epi16((int16_t)limit));
}

#include "fastscan_body.h"

#endif
