#include "encoder_tables.h"

#if BASIS_X86

#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx512vnni,avx2,fma")))
#define LEVEL_NAME "avx512"
#define LEVEL_TABLE basis_encoder_vnni
#define PREFERS_FIXED 1

#include "encoder_avx512.h"

// Written out, because compilers split the intrinsic into a product and a sum again, which takes
// twice the time.
OPERATION I i_dot(I sum, I a, I b) {
  __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  return sum;
}

#include "encoder_body.h"

#endif
