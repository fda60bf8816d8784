// Inner loops of transformer encoders, one function table per instruction set.
//
// The rules of basis_kernels.h hold here too: pointers and counts, no allocation, no alignment, no
// read or write past what is named; the level is decided once, BASIS_SIMD_LEVEL names another.
//
// A row of a result is the same bits whatever other rows are computed with it. Between levels the
// last bits of floats differ; sums of 16-bit products are equal everywhere.
#ifndef BASIS_ENCODER_KERNELS_H
#define BASIS_ENCODER_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "basis_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { BASIS_ACTIVATION_NONE = 0, BASIS_ACTIVATION_GELU = 1 } basis_activation;

// The largest 16-bit number that quantize makes of a row, and how many products of them and of
// weights are summed in 32 bits: the fewer, the finer the weights may be.
enum { BASIS_FIXED_LIMIT = 16383, BASIS_FIXED_PART = 128 };

typedef struct {
  const char *name;
  // Columns of a panel of packed weights.
  size_t panel;
  // Whether linear_i16 is the faster one.
  int prefers_fixed;

  // out row i, column j = activation(dot(row i of x, row j of the weights) + bias[j]): m rows of k
  // floats times n rows of weights, packed by basis_pack_f32.
  void (*linear_f32)(const float *x, size_t x_stride, size_t m, const float *weights, size_t k,
                     size_t n, const float *bias, basis_activation activation, float *out,
                     size_t out_stride);
  // The same in 16-bit fixed point, parts of sums exact: x by quantize, in rows of k rounded up to even; weights and
  // their n scales by basis_pack_i16.
  void (*linear_i16)(const int16_t *x, const float *x_scales, size_t m, const int16_t *weights,
                     const float *weight_scales, size_t k, size_t n, const float *bias,
                     basis_activation activation, float *out, size_t out_stride);
  // Each row of k floats as k numbers of at most BASIS_FIXED_LIMIT and a zero where k is odd, and
  // what one of them is worth.
  void (*quantize)(const float *x, size_t x_stride, size_t m, size_t k, int16_t *out,
                   float *scales);
  // out = (y - mean) / sqrt(variance + epsilon) * gain + bias for the rows y of x + added; out may
  // be x or added.
  void (*add_norm)(const float *x, const float *added, size_t m, size_t d, const float *gain,
                   const float *bias, float epsilon, float *out);
  // One head of attention over the rows of one text: out row i = sum over j of weight(i, j) * value
  // row j, weights the softmax over j of scale * dot(query i, key j). query, key and value are rows
  // `stride` apart, `size` floats each. scratch has basis_attention_scratch(length, size) floats.
  void (*attention)(const float *query, const float *key, const float *value, size_t stride,
                    size_t length, size_t size, float scale, float *out, size_t out_stride,
                    float *scratch);
  // x = x / 2 * (1 + erf(x / sqrt(2))), within 1.5e-6 of it.
  void (*gelu)(float *x, size_t n);
  // x = exp(x) for x up to 0, within 2e-7 of it; below -87 a number below 2e-38.
  void (*exponential)(float *x, size_t n);
} basis_encoder_table;

// The table in force.
const basis_encoder_table *basis_encoder_kernels(void);
// The table of one level, or NULL where this processor cannot run it.
const basis_encoder_table *basis_encoder_kernels_at(basis_simd_level level);

// Floats of scratch that attention needs, at every level.
size_t basis_attention_scratch(size_t length, size_t size);

// How many elements n rows of k weights have when they are packed in panels.
size_t basis_packed_f32_count(size_t n, size_t k, size_t panel);
size_t basis_packed_i16_count(size_t n, size_t k, size_t panel);
void basis_pack_f32(const float *weights, size_t n, size_t k, size_t panel, float *out);
// Each row gets the finest scale with which no part of a sum can leave 32 bits.
void basis_pack_i16(const float *weights, size_t n, size_t k, size_t panel, int16_t *out,
                    float *scales);

#ifdef __cplusplus
}
#endif

#endif
