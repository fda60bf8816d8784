#include "basis_kernels.h"

static float dot_f32(const float *a, const float *b, size_t n) {
  float sum = 0;
  for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

static float l2_f32(const float *a, const float *b, size_t n) {
  float sum = 0;
  for (size_t i = 0; i < n; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

static void dot_f32_rows(const float *query, const float *rows, size_t row_count, size_t stride,
                         size_t n, float *out) {
  for (size_t r = 0; r < row_count; r++) out[r] = dot_f32(query, rows + r * stride, n);
}

static void l2_f32_rows(const float *query, const float *rows, size_t row_count, size_t stride,
                        size_t n, float *out) {
  for (size_t r = 0; r < row_count; r++) out[r] = l2_f32(query, rows + r * stride, n);
}

static const basis_kernel_table scalar = {"scalar", dot_f32, l2_f32, dot_f32_rows, l2_f32_rows};

const basis_kernel_table *basis_kernels_at(basis_simd_level level) {
  return level == BASIS_SIMD_SCALAR ? &scalar : NULL;
}

const basis_kernel_table *basis_kernels(void) { return &scalar; }

uint32_t basis_crc32c(uint32_t crc, const void *bytes, size_t n) {
  const uint8_t *p = bytes;
  crc = ~crc;
  while (n--) {
    crc ^= *p++;
    for (int k = 0; k < 8; k++) crc = crc & 1 ? crc >> 1 ^ 0x82F63B78u : crc >> 1;
  }
  return ~crc;
}
