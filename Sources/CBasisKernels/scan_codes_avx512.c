#include "scan_codes_tables.h"

#if BASIS_X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")))
#define INLINE TARGET static inline __attribute__((always_inline))
#define LEVEL_NAME "avx512"
#define LEVEL_TABLE basis_code_scan_avx512

#include "fastscan_sums_avx512.h"

#define W __m512i
#define WIDTH 1
#define w_zero _mm512_setzero_si512
#define w_load(p) _mm512_loadu_si512(p)
#define w_store(p, x) _mm512_storeu_si512(p, x)
#define w_set _mm512_set1_epi32
#define w_even(x) _mm512_and_si512(x, _mm512_set1_epi16(255))
#define w_odd(x) _mm512_srli_epi16(x, 8)
#define w_signed_even(x) _mm512_srai_epi16(_mm512_slli_epi16(x, 8), 8)
#define w_signed_odd(x) _mm512_srai_epi16(x, 8)
#define w_add_products(sum, a, b) _mm512_add_epi32(sum, _mm512_madd_epi16(a, b))

#include "scan_codes_widened.h"

#include "scan_codes_mask_avx512.h"

#include "scan_codes_body.h"

#endif
