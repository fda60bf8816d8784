// Inner loops, one function table per instruction set.
//
// A kernel takes pointers and counts, allocates nothing and reads past nothing; pointers need no
// alignment beyond their type's. Which table is used is decided once, at the first call of
// basis_kernels(): the best that the processor runs, or the one that the environment variable
// BASIS_SIMD_LEVEL names (scalar, avx2, avx512). A name that is unknown, or a level that the
// processor cannot run, counts as no name at all.
//
// Rounding: at one level, a pair of vectors gives the same bits whichever distance kernel sees it
// (one pair, rows, gathered rows), at any place and among any others; and an element of a product
// is the same bits whatever the number of rows on either side. Between levels the last bits differ,
// and so do they between dot_f32 and product_f32.
#ifndef BASIS_KERNELS_H
#define BASIS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

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

  // out[i] = dot(query, rows + ids[i] * stride): one query against id_count rows anywhere.
  void (*dot_f32_gathered)(const float *query, const float *rows, const uint32_t *ids,
                           size_t id_count, size_t stride, size_t n, float *out);
  // out[i] = squared distance of the query and row ids[i].
  void (*l2_f32_gathered)(const float *query, const float *rows, const uint32_t *ids,
                          size_t id_count, size_t stride, size_t n, float *out);

  // c[i * c_stride + j] = dot(row i of a, row j of b): C = A * transpose(B) for m rows of a and n
  // rows of b, d floats each. scratch has BASIS_PRODUCT_SCRATCH floats, of any content.
  void (*product_f32)(const float *a, size_t a_stride, size_t m, const float *b, size_t b_stride,
                      size_t n, size_t d, float *c, size_t c_stride, float *scratch);

  // out[j] = sum over i < count, in order, of weights[i] * dense[rows[i] * stride + j], j < n: one
  // row of a sparse matrix times a dense one.
  void (*weighted_rows_f32)(const float *weights, const int32_t *rows, size_t count,
                            const float *dense, size_t stride, size_t n, float *out);
} basis_kernel_table;

// Floats of scratch that product_f32 needs, at every level: 2.4 MB.
enum { BASIS_PRODUCT_SCRATCH = 384 * (1024 + 512) + 16 };

// The table in force.
const basis_kernel_table *basis_kernels(void);
// The table of one level, or NULL where this processor cannot run it.
const basis_kernel_table *basis_kernels_at(basis_simd_level level);

// CRC-32C (Castagnoli) of n bytes, continuing from crc; 0 starts a new one.
uint32_t basis_crc32c(uint32_t crc, const void *bytes, size_t n);
// The same from tables, whatever the processor offers.
uint32_t basis_crc32c_portable(uint32_t crc, const void *bytes, size_t n);

#ifdef __cplusplus
}
#endif

#endif
