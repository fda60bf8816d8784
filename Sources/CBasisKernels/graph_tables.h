// The graph tables of the levels, each from its own file.
#ifndef BASIS_GRAPH_TABLES_H
#define BASIS_GRAPH_TABLES_H

#include "basis_graph_kernels.h"

#if defined(__x86_64__) || defined(__i386__)
#define BASIS_X86 1
#else
#define BASIS_X86 0
#endif

// Codes of the next unit of pairs.
static inline size_t pair_unit(size_t left) { return left >= 256 ? 256 : left >= 128 ? 128 : 64; }

extern const basis_graph_table basis_graph_scalar;
#if BASIS_X86
extern const basis_graph_table basis_graph_avx2;
extern const basis_graph_table basis_graph_avx512;
#endif

#endif
