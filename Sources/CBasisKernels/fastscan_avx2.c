#include "fastscan_tables.h"

#if BASIS_X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define LEVEL_NAME "avx2"
#define LEVEL_TABLE basis_scan_avx2

#include "fastscan_sums_avx2.h"

TARGET static inline uint32_t block_mask(const uint16_t *sums, uint16_t limit) {
  const __m256i most = _mm256_set1_epi16((int16_t)limit);
  __m256i a = _mm256_loadu_si256((const __m256i *)sums);
  __m256i b = _mm256_loadu_si256((const __m256i *)(sums + 16));
  a = _mm256_cmpeq_epi16(_mm256_min_epu16(a, most), a);
  b = _mm256_cmpeq_epi16(_mm256_min_epu16(b, most), b);
  __m256i bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(a, b), 0xD8);
  return (uint32_t)_mm256_movemask_epi8(bytes);
}

#include "fastscan_body.h"

#endif
