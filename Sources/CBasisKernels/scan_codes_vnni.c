#include "scan_codes_tables.h"

#if BASIS_X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx512vnni,avx2,fma")))
#define INLINE TARGET static inline __attribute__((always_inline))
#define LEVEL_NAME "avx512vnni"
#define LEVEL_TABLE basis_code_scan_vnni
#define UNROLL _Pragma("clang loop unroll(full)")

#include "fastscan_sums_avx512.h"

// vpdpbusd multiplies unsigned by signed bytes and adds four products without saturation. At most
// 24 sums, and what they are made of, stay in registers.
INLINE void byte_sums(const uint8_t *blocks, size_t block_count, size_t groups,
                      const int8_t *const *queries, size_t query_count, int32_t *sums) {
  __m512i totals[6][4];
  UNROLL for (size_t q = 0; q < query_count; q++) {
    UNROLL for (size_t b = 0; b < block_count; b++) totals[q][b] = _mm512_setzero_si512();
  }
  for (size_t g = 0; g < groups; g++) {
    __m512i rows[4];
    UNROLL for (size_t b = 0; b < block_count; b++) {
      rows[b] = _mm512_loadu_si512(blocks + (b * groups + g) * BASIS_BYTES_GROUP_BYTES);
    }
    UNROLL for (size_t q = 0; q < query_count; q++) {
      int32_t four;
      __builtin_memcpy(&four, queries[q] + 4 * g, 4);
      __m512i values = _mm512_set1_epi32(four);
      UNROLL for (size_t b = 0; b < block_count; b++) {
        totals[q][b] = _mm512_dpbusd_epi32(totals[q][b], rows[b], values);
      }
    }
  }
  UNROLL for (size_t q = 0; q < query_count; q++) {
    UNROLL for (size_t b = 0; b < block_count; b++) {
      _mm512_storeu_si512(sums + q * BASIS_CODE_SCAN_ROWS + b * BASIS_BYTES_BLOCK, totals[q][b]);
    }
  }
}

#include "scan_codes_mask_avx512.h"

#include "scan_codes_body.h"

#endif
