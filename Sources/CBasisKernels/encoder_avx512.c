#include "encoder_tables.h"

#if BASIS_X86

#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")))
#define LEVEL_NAME "avx512"
#define LEVEL_TABLE basis_encoder_avx512
#define PREFERS_FIXED 0

#include "encoder_avx512.h"

OPERATION I i_dot(I sum, I a, I b) { return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b)); }

#include "encoder_body.h"

#endif
