// The encoder tables of the levels, each from its own file.
#ifndef BASIS_ENCODER_TABLES_H
#define BASIS_ENCODER_TABLES_H

#include "basis_encoder_kernels.h"

#if defined(__x86_64__) || defined(__i386__)
#define BASIS_X86 1
#else
#define BASIS_X86 0
#endif

extern const basis_encoder_table basis_encoder_scalar;
#if BASIS_X86
extern const basis_encoder_table basis_encoder_avx2;
extern const basis_encoder_table basis_encoder_avx512;
extern const basis_encoder_table basis_encoder_vnni;
#endif

#endif
