// What every processor runs.
#include "graph_tables.h"

#define TARGET
#define LEVEL_NAME "scalar"
#define LEVEL_TABLE basis_graph_scalar
#define OPERATION static inline __attribute__((always_inline))

#include "graph_plain.h"
#include "graph_body.h"
