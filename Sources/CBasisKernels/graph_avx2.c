#include "graph_tables.h"

#if BASIS_X86

#define TARGET __attribute__((target("avx2,popcnt")))
#define LEVEL_NAME "avx2"
#define LEVEL_TABLE basis_graph_avx2
#define OPERATION TARGET static inline __attribute__((always_inline))

#include "graph_plain.h"
#include "graph_body.h"

#endif
