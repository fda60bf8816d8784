// Inner loops, one function table per instruction set.
//
// A kernel takes pointers and counts, allocates nothing and reads past nothing; pointers need no
// alignment beyond their type's. Which table is used is decided once, at the first call of
// basis_kernels(): the best that the processor runs, or the one that the environment variable
// BASIS_SIMD_LEVEL names (scalar, avx2, avx512, avx512vnni, avx512popcnt). A name that is unknown,
// or a level that the processor cannot run, counts as no name at all.
//
// Rounding: at one level, a pair of vectors gives the same bits whichever distance kernel sees it
// (one pair, rows, gathered rows), at any place and among any others; and an element of a product
// is the same bits whatever the number of rows on either side. Between levels the last bits differ,
// and so do they between dot_f32 and product_f32.
//
// Half precision (uint16_t: IEEE binary16, "f16", or the upper half of a float, "bf16") is widened
// to f32, which is exact, and then goes the way of f32: dot_f32_f16, dot_f16, product_f32_bf16 and
// the others give, at one level, the bits of dot_f32, product_f32... of the widened vectors.
//
// Integers and bits are exact, so that every level gives the same numbers. Nothing saturates on
// the way, the whole range -128...127 included; a result beyond int32_t would wrap around, so that
// dot_i8 takes up to 131,071 elements, l2_i8 up to 33,025, and the kernels of bits 2^25 - 1 words.
#ifndef BASIS_KERNELS_H
#define BASIS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  BASIS_SIMD_SCALAR = 0,
  BASIS_SIMD_AVX2 = 1,          // with FMA and F16C
  BASIS_SIMD_AVX512 = 2,        // F, DQ, BW and VL
  BASIS_SIMD_AVX512_VNNI = 3,   // and VNNI
  BASIS_SIMD_AVX512_POPCNT = 4  // and VPOPCNTDQ
} basis_simd_level;
enum { BASIS_SIMD_LEVEL_COUNT = 5 };

// Two functions of two vectors, each for one pair, for rows and for gathered rows.
//   one(a, b, n): of two vectors of n elements.
//   one_rows: out[r] = one(query, rows + r * stride), r < row_count.
//   one_gathered: out[i] = one(query, rows + ids[i] * stride), i < id_count.
#define BASIS_DISTANCE(one, query_type, row_type, out_type)                                  \
  out_type (*one)(const query_type *a, const row_type *b, size_t n);                         \
  void (*one##_rows)(const query_type *query, const row_type *rows, size_t row_count,        \
                     size_t stride, size_t n, out_type *out);                                \
  void (*one##_gathered)(const query_type *query, const row_type *rows, const uint32_t *ids, \
                         size_t id_count, size_t stride, size_t n, out_type *out);

// c[i * c_stride + j] = one(row i of a, row j of b), for m rows of a and n rows of b, d elements
// each.
#define BASIS_PAIRS(one, type, out_type)                                                        \
  void (*one##_pairs)(const type *a, size_t a_stride, size_t m, const type *b, size_t b_stride, \
                      size_t n, size_t d, out_type *c, size_t c_stride);

// c[i * c_stride + j] = dot(row i of a, row j of b): C = A * transpose(B) for m rows of a and n
// rows of b, d elements each. scratch has BASIS_PRODUCT_SCRATCH floats, of any content.
#define BASIS_PRODUCT(name, a_type, b_type)                                                  \
  void (*name)(const a_type *a, size_t a_stride, size_t m, const b_type *b, size_t b_stride, \
               size_t n, size_t d, float *c, size_t c_stride, float *scratch);

typedef struct {
  // What BASIS_SIMD_LEVEL calls it.
  const char *name;
  // scalar, avx2 or avx512: what other libraries have names for.
  const char *family;

  // dot: sum of a[i] * b[i]. l2: sum of (a[i] - b[i])^2. The query may stay in f32 where the rows
  // are shorter.
  BASIS_DISTANCE(dot_f32, float, float, float)
  BASIS_DISTANCE(l2_f32, float, float, float)
  BASIS_DISTANCE(dot_f32_f16, float, uint16_t, float)
  BASIS_DISTANCE(l2_f32_f16, float, uint16_t, float)
  BASIS_DISTANCE(dot_f16, uint16_t, uint16_t, float)
  BASIS_DISTANCE(l2_f16, uint16_t, uint16_t, float)
  BASIS_DISTANCE(dot_f32_bf16, float, uint16_t, float)
  BASIS_DISTANCE(l2_f32_bf16, float, uint16_t, float)
  BASIS_DISTANCE(dot_bf16, uint16_t, uint16_t, float)
  BASIS_DISTANCE(l2_bf16, uint16_t, uint16_t, float)

  BASIS_PRODUCT(product_f32, float, float)
  BASIS_PRODUCT(product_f32_f16, float, uint16_t)
  BASIS_PRODUCT(product_f16, uint16_t, uint16_t)
  BASIS_PRODUCT(product_f32_bf16, float, uint16_t)
  BASIS_PRODUCT(product_bf16, uint16_t, uint16_t)

  // product_f32 in two steps, for sides that meet many others: the same bits. The left side takes
  // m * d floats, the right one n rounded up to packed_columns, times d.
  size_t packed_columns;
  void (*pack_left_f32)(const float *a, size_t stride, size_t m, size_t d, float *out);
  void (*pack_right_f32)(const float *b, size_t stride, size_t n, size_t d, float *out);
  void (*product_packed_f32)(const float *a, size_t m, const float *b, size_t n, size_t d, float *c,
                             size_t c_stride);

  // out[i] = the nearest that the shorter type has of x[i], ties to even; too large becomes
  // infinity. A NaN stays one, quiet, with its sign and the upper bits of its payload.
  void (*f16_from_f32)(const float *x, size_t n, uint16_t *out);
  void (*bf16_from_f32)(const float *x, size_t n, uint16_t *out);
  // Exact; a signalling NaN of f16 becomes quiet.
  void (*f32_from_f16)(const uint16_t *x, size_t n, float *out);
  void (*f32_from_bf16)(const uint16_t *x, size_t n, float *out);

  BASIS_DISTANCE(dot_i8, int8_t, int8_t, int32_t)
  BASIS_DISTANCE(l2_i8, int8_t, int8_t, int32_t)
  BASIS_PAIRS(dot_i8, int8_t, int32_t)
  BASIS_PAIRS(l2_i8, int8_t, int32_t)

  // Vectors of n words. hamming: how many bits differ. and: how many bits both have.
  BASIS_DISTANCE(hamming_bits, uint64_t, uint64_t, int32_t)
  BASIS_DISTANCE(and_bits, uint64_t, uint64_t, int32_t)
  BASIS_PAIRS(hamming_bits, uint64_t, int32_t)
  BASIS_PAIRS(and_bits, uint64_t, int32_t)

  // out[j] = sum over i < count, in order, of weights[i] * dense[rows[i] * stride + j], j < n: one
  // row of a sparse matrix times a dense one.
  void (*weighted_rows_f32)(const float *weights, const int32_t *rows, size_t count,
                            const float *dense, size_t stride, size_t n, float *out);

  // Writes the positions i < n, rising, at which x[i], x[i] * y[i] or x[i] - y[i] is not below the
  // bound (as NaN never is), and returns how many there are. out has room for n.
  size_t (*select_f32)(const float *x, size_t n, float bound, uint32_t *out);
  size_t (*select_scaled_f32)(const float *x, const float *y, size_t n, float bound,
                              uint32_t *out);
  size_t (*select_shifted_f32)(const float *x, const float *y, size_t n, float bound,
                               uint32_t *out);
} basis_kernel_table;

#undef BASIS_DISTANCE
#undef BASIS_PAIRS
#undef BASIS_PRODUCT

// Floats of scratch that a product needs, at every level: 2.4 MB.
enum { BASIS_PRODUCT_SCRATCH = 384 * (1024 + 512) + 16 };

// The table in force.
const basis_kernel_table *basis_kernels(void);
// The table of one level, or NULL where this processor cannot run it.
const basis_kernel_table *basis_kernels_at(basis_simd_level level);

// CRC-32C (Castagnoli) of n bytes, continuing from crc; 0 starts a new one.
// Gives memory that was freed back to the system, where the C library has a call for it.
void basis_release_free_memory(void);

uint32_t basis_crc32c(uint32_t crc, const void *bytes, size_t n);
// The same from tables, whatever the processor offers.
uint32_t basis_crc32c_portable(uint32_t crc, const void *bytes, size_t n);

#ifdef __cplusplus
}
#endif

#endif
