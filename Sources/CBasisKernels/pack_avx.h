// Packing for the levels that have 256-bit shuffles; TARGET is the including level's.

// Eight rows of eight, turned: out[k * width + r] = b[r * stride + k].
TARGET static inline __attribute__((always_inline)) void turn8(const float *b, size_t stride,
                                                               float *out, size_t width) {
  __m256 x[8];
  // Row r beside row r + 4, columns 0...3 and then 4...7: the halves then need no crossing.
  for (int r = 0; r < 4; r++) {
    const float *low = b + r * stride;
    const float *high = b + (r + 4) * stride;
    x[r] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high), 1);
    x[r + 4] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low + 4)),
                                    _mm_loadu_ps(high + 4), 1);
  }
  for (int half = 0; half < 2; half++) {
    const __m256 *y = x + 4 * half;
    __m256 low01 = _mm256_unpacklo_ps(y[0], y[1]), high01 = _mm256_unpackhi_ps(y[0], y[1]);
    __m256 low23 = _mm256_unpacklo_ps(y[2], y[3]), high23 = _mm256_unpackhi_ps(y[2], y[3]);
    float *to = out + 4 * half * width;
    _mm256_storeu_ps(to, _mm256_shuffle_ps(low01, low23, 0x44));
    _mm256_storeu_ps(to + width, _mm256_shuffle_ps(low01, low23, 0xEE));
    _mm256_storeu_ps(to + 2 * width, _mm256_shuffle_ps(high01, high23, 0x44));
    _mm256_storeu_ps(to + 3 * width, _mm256_shuffle_ps(high01, high23, 0xEE));
  }
}

TARGET static void pack_columns(const float *b, size_t stride, size_t count, size_t depth,
                                float *out) {
  const size_t width = LANES * TILE_VECTORS;
  size_t k = 0;
  for (; k + 8 <= depth; k += 8) {
    float *to = out + k * width;
    size_t r = 0;
    for (; r + 8 <= count; r += 8) turn8(b + r * stride + k, stride, to + r, width);
    for (; r < width; r++) {
      for (size_t j = 0; j < 8; j++) to[j * width + r] = r < count ? b[r * stride + k + j] : 0;
    }
  }
  for (; k < depth; k++) {
    for (size_t r = 0; r < width; r++) out[k * width + r] = r < count ? b[r * stride + k] : 0;
  }
}

// Panels of eight rows and more; the last eight may repeat some of the first.
TARGET static size_t interleave_eights(const float *a, size_t stride, size_t row_count,
                                       size_t depth, float *out) {
  if (row_count < 8) return 0;
  size_t k = 0;
  for (; k + 8 <= depth; k += 8) {
    float *to = out + k * row_count;
    size_t last = row_count - 8;
    for (size_t r = 0; r < last; r += 8) turn8(a + r * stride + k, stride, to + r, row_count);
    turn8(a + last * stride + k, stride, to + last, row_count);
  }
  return k;
}
