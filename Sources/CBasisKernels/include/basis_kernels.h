// Inner loops, one function table per instruction set.
//
// A kernel takes pointers and counts, allocates nothing and reads past nothing. Which table is used
// is decided once, at the first call of basis_kernels(): the best that the processor runs, or the
// one that the environment variable BASIS_SIMD_LEVEL names (scalar, avx2, avx512).
#ifndef BASIS_KERNELS_H
#define BASIS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
  BASIS_SIMD_SCALAR = 0,
  BASIS_SIMD_AVX2 = 1,
  BASIS_SIMD_AVX512 = 2
} basis_simd_level;

typedef struct {
  const char *name;

  // Sum of a[i] * b[i].
  float (*dot_f32)(const float *a, const float *b, size_t n);
  // Sum of (a[i] - b[i])^2.
  float (*l2_f32)(const float *a, const float *b, size_t n);
  // out[r] = dot(query, rows + r * stride): one query against row_count rows.
  void (*dot_f32_rows)(const float *query, const float *rows, size_t row_count, size_t stride,
                       size_t n, float *out);
  // out[r] = squared distance of the query and row r.
  void (*l2_f32_rows)(const float *query, const float *rows, size_t row_count, size_t stride,
                      size_t n, float *out);
} basis_kernel_table;

// The table in force.
const basis_kernel_table *basis_kernels(void);
// The table of one level, or NULL where this processor cannot run it.
const basis_kernel_table *basis_kernels_at(basis_simd_level level);

// CRC-32C (Castagnoli) of n bytes, continuing from crc; 0 starts a new one.
uint32_t basis_crc32c(uint32_t crc, const void *bytes, size_t n);

#endif
