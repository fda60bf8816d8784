// The tables of the levels, each from its own file.
#ifndef BASIS_TABLES_H
#define BASIS_TABLES_H

#include "basis_kernels.h"

#if defined(__x86_64__) || defined(__i386__)
#define BASIS_X86 1
#else
#define BASIS_X86 0
#endif

extern const basis_kernel_table basis_table_scalar;
#if BASIS_X86
extern const basis_kernel_table basis_table_avx2;
extern const basis_kernel_table basis_table_avx512;
extern const basis_kernel_table basis_table_avx512_vnni;
extern const basis_kernel_table basis_table_avx512_popcnt;
#endif

#endif
