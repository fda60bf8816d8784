// The tables of flat scans over codes, each from its own file.
#ifndef BASIS_SCAN_CODES_TABLES_H
#define BASIS_SCAN_CODES_TABLES_H

#include "basis_code_scan_kernels.h"
#include "basis_scan_kernels.h"

#if defined(__x86_64__) || defined(__i386__)
#define BASIS_X86 1
#else
#define BASIS_X86 0
#endif

extern const basis_code_scan_table basis_code_scan_scalar;
#if BASIS_X86
extern const basis_code_scan_table basis_code_scan_avx2;
extern const basis_code_scan_table basis_code_scan_avx512;
extern const basis_code_scan_table basis_code_scan_vnni;
#endif

#endif
