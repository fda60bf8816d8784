// The encoder kernels, written once over a vector of floats and one of integers. A level's file
// defines, and then includes this:
//   TARGET, LEVEL_NAME, LEVEL_TABLE, PREFERS_FIXED
//   V, I, LANES               the vectors, with equally many floats and 32-bit integers
//   TILE_ROWS, TILE_VECTORS   the register tile: that many rows by vectors
//   v_zero, v_set, v_load, v_store, v_load_first, v_store_first, v_add, v_sub, v_mul, v_fma, v_max,
//   v_min, v_abs, v_round (to nearest), v_divide, v_power (2 to a whole float), v_sum, v_largest
//   i_zero, i_load (of 2 * LANES 16-bit numbers), i_pair (one pair, in all lanes), i_dot (the sum,
//   and in each lane the two products of its pair), i_float, i_store_narrow, i_store_narrow_first
//
// Loops over constants unroll, so that arrays of vectors live in registers.
#include <math.h>

#define KERNEL TARGET static
#define INLINE TARGET static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")
#define PANEL (TILE_VECTORS * LANES)

// --- Functions

// exp: x = n ln 2 + r, 2^n times a polynomial of r. Coefficients by a minimax fit of the relative
// error on |r| <= ln(2) / 2.
INLINE V exponential_of(V x) {
  x = v_max(x, v_set(-87.0f));
  V n = v_round(v_mul(x, v_set(1.44269504f)));
  // ln 2 in two parts, the first with so few bits that n times it is exact.
  V r = v_fma(n, v_set(-0.693359375f), x);
  r = v_fma(n, v_set(2.12194440e-4f), r);
  V p = v_set(0.001381459782f);
  p = v_fma(p, r, v_set(0.008368716951f));
  p = v_fma(p, r, v_set(0.041668388063f));
  p = v_fma(p, r, v_set(0.166665206309f));
  p = v_fma(p, r, v_set(0.499999934477f));
  p = v_fma(p, r, v_set(1.0f));
  p = v_fma(p, r, v_set(1.0f));
  return v_mul(p, v_power(n));
}

// erf as t P(t^2) / Q(t^2) on |t| <= 3.95, beyond which it is 1 to the last bit. Coefficients by a
// minimax fit; within 2e-8 before rounding.
INLINE V gelu_of(V x) {
  V t = v_mul(x, v_set(0.70710678f));
  t = v_max(v_min(t, v_set(3.95f)), v_set(-3.95f));
  V u = v_mul(t, t);
  V p = v_set(2.0116517217912866e-06f);
  p = v_fma(p, u, v_set(0.0002875761382748744f));
  p = v_fma(p, u, v_set(0.003916824333748349f));
  p = v_fma(p, u, v_set(0.05320554800828963f));
  p = v_fma(p, u, v_set(0.19402605971414225f));
  p = v_fma(p, u, v_set(1.128379006938434f));
  V q = v_set(3.7837463577287936e-05f);
  q = v_fma(q, u, v_set(0.0011980549110495431f));
  q = v_fma(q, u, v_set(0.015269745138158661f));
  q = v_fma(q, u, v_set(0.11558654936168666f));
  q = v_fma(q, u, v_set(0.5052826127999714f));
  q = v_fma(q, u, v_set(1.0f));
  V erf = v_divide(v_mul(t, p), q);
  // Far below zero the last bit of erf must not be blown up.
  V half = v_mul(v_max(x, v_set(-8.0f)), v_set(0.5f));
  return v_fma(half, erf, half);
}

#define OVER_ALL(function)                                                       \
  size_t i = 0;                                                                  \
  for (; i + LANES <= n; i += LANES) v_store(x + i, function(v_load(x + i)));    \
  if (i < n) v_store_first(x + i, function(v_load_first(x + i, n - i)), n - i);

KERNEL void gelu(float *x, size_t n) { OVER_ALL(gelu_of) }
KERNEL void exponential(float *x, size_t n) { OVER_ALL(exponential_of) }

// --- Tiles
//
// A tile is row_count rows of the left side, read where they lie, times one panel of the right
// side, which is packed: all its columns for one k beside each other. Each element is summed in
// the order of k, whatever the tile's height.

enum { FINISH_PLAIN, FINISH_BIAS, FINISH_GELU, FINISH_FACTOR };

INLINE void put(V v, int finish, V bias, float factor, float *out, size_t room) {
  if (finish == FINISH_BIAS || finish == FINISH_GELU) v = v_add(v, bias);
  if (finish == FINISH_GELU) v = gelu_of(v);
  if (finish == FINISH_FACTOR) v = v_mul(v, v_set(factor));
  if (room >= LANES) {
    v_store(out, v);
  } else if (room > 0) {
    v_store_first(out, v, room);
  }
}

INLINE size_t room_at(size_t column_count, int v) {
  size_t start = (size_t)v * LANES;
  return column_count > start ? column_count - start : 0;
}

INLINE V load_at(const float *p, size_t column_count, int v) {
  size_t room = room_at(column_count, v);
  if (room >= LANES) return v_load(p + v * LANES);
  return room > 0 ? v_load_first(p + v * LANES, room) : v_zero();
}

INLINE void tile_f32(int row_count, int finish, const float *a, size_t a_stride, size_t depth,
                     const float *b, const float *extra, float *c, size_t c_stride,
                     size_t column_count) {
  V sums[TILE_ROWS][TILE_VECTORS];
  UNROLL for (int r = 0; r < row_count; r++) {
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) sums[r][v] = v_zero();
  }
  for (size_t k = 0; k < depth; k++) {
    V right[TILE_VECTORS];
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) right[v] = v_load(b + v * LANES);
    UNROLL for (int r = 0; r < row_count; r++) {
      V left = v_set(a[(size_t)r * a_stride + k]);
      UNROLL for (int v = 0; v < TILE_VECTORS; v++) sums[r][v] = v_fma(left, right[v], sums[r][v]);
    }
    b += PANEL;
  }
  V bias[TILE_VECTORS];
  UNROLL for (int v = 0; v < TILE_VECTORS; v++) {
    bias[v] = finish == FINISH_BIAS || finish == FINISH_GELU ? load_at(extra, column_count, v)
                                                             : v_zero();
  }
  UNROLL for (int r = 0; r < row_count; r++) {
    float factor = finish == FINISH_FACTOR ? extra[r] : 0;
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) {
      put(sums[r][v], finish, bias[v], factor, c + (size_t)r * c_stride + v * LANES,
          room_at(column_count, v));
    }
  }
}

// Sums leave the integers after every BASIS_FIXED_PART products, before they could overflow.
INLINE void tile_i16(int row_count, int finish, const int16_t *a, const float *a_scales,
                     size_t pairs, const int16_t *b, const float *b_scales, const float *biases,
                     float *c, size_t c_stride, size_t column_count) {
  V totals[TILE_ROWS][TILE_VECTORS];
  for (size_t start = 0; start < pairs; start += BASIS_FIXED_PART / 2) {
    size_t end = pairs - start < BASIS_FIXED_PART / 2 ? pairs : start + BASIS_FIXED_PART / 2;
    I sums[TILE_ROWS][TILE_VECTORS];
    UNROLL for (int r = 0; r < row_count; r++) {
      UNROLL for (int v = 0; v < TILE_VECTORS; v++) sums[r][v] = i_zero();
    }
    for (size_t k = start; k < end; k++) {
      I right[TILE_VECTORS];
      UNROLL for (int v = 0; v < TILE_VECTORS; v++) right[v] = i_load(b + v * 2 * LANES);
      UNROLL for (int r = 0; r < row_count; r++) {
        I left = i_pair(a + 2 * ((size_t)r * pairs + k));
        UNROLL for (int v = 0; v < TILE_VECTORS; v++) {
          sums[r][v] = i_dot(sums[r][v], left, right[v]);
        }
      }
      b += 2 * PANEL;
    }
    UNROLL for (int r = 0; r < row_count; r++) {
      UNROLL for (int v = 0; v < TILE_VECTORS; v++) {
        V part = i_float(sums[r][v]);
        totals[r][v] = start == 0 ? part : v_add(totals[r][v], part);
      }
    }
  }
  V scale[TILE_VECTORS], bias[TILE_VECTORS];
  UNROLL for (int v = 0; v < TILE_VECTORS; v++) {
    scale[v] = load_at(b_scales, column_count, v);
    bias[v] = load_at(biases, column_count, v);
  }
  UNROLL for (int r = 0; r < row_count; r++) {
    V row_scale = v_set(a_scales[r]);
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) {
      V value = v_mul(totals[r][v], v_mul(row_scale, scale[v]));
      put(value, finish, bias[v], 0, c + (size_t)r * c_stride + v * LANES,
          room_at(column_count, v));
    }
  }
}

// Heights that halve: any number of rows is a few tiles, and the code stays small. Heights above
// TILE_ROWS are never asked for.
#define CLAMPED(height) ((height) <= TILE_ROWS ? (height) : 1)
#define BY_HEIGHT(rows, CALL)  \
  switch (rows) {              \
    case TILE_ROWS:            \
      CALL(TILE_ROWS);         \
      break;                   \
    case 8:                    \
      CALL(CLAMPED(8));        \
      break;                   \
    case 2:                    \
      CALL(2);                 \
      break;                   \
    case 1:                    \
      CALL(1);                 \
      break;                   \
    EXTRA_HEIGHT(CALL)         \
  }
#if TILE_ROWS == 4
#define EXTRA_HEIGHT(CALL)
#else
#define EXTRA_HEIGHT(CALL) \
  case 4:                  \
    CALL(4);               \
    break;
#endif

INLINE size_t height_of(size_t rows) {
  if (rows >= TILE_ROWS) return TILE_ROWS;
  if (TILE_ROWS > 8 && rows >= 8) return 8;
  return rows >= 4 ? 4 : rows >= 2 ? 2 : 1;
}

INLINE void rows_f32(size_t rows, int finish, const float *a, size_t a_stride, size_t depth,
                     const float *b, const float *extra, float *c, size_t c_stride,
                     size_t column_count) {
#define CALL(height) \
  tile_f32(height, finish, a, a_stride, depth, b, extra, c, c_stride, column_count)
  BY_HEIGHT(rows, CALL)
#undef CALL
}

INLINE void rows_i16(size_t rows, int finish, const int16_t *a, const float *a_scales,
                     size_t pairs, const int16_t *b, const float *b_scales, const float *biases,
                     float *c, size_t c_stride, size_t column_count) {
#define CALL(height)                                                                      \
  tile_i16(height, finish, a, a_scales, pairs, b, b_scales, biases, c, c_stride, column_count)
  BY_HEIGHT(rows, CALL)
#undef CALL
}

// One function an ending, so that each tile exists once.
KERNEL void rows_f32_plain(size_t rows, const float *a, size_t a_stride, size_t depth,
                           const float *b, float *c, size_t c_stride, size_t column_count) {
  rows_f32(rows, FINISH_PLAIN, a, a_stride, depth, b, NULL, c, c_stride, column_count);
}
KERNEL void rows_f32_factor(size_t rows, const float *a, size_t a_stride, size_t depth,
                            const float *b, const float *factors, float *c, size_t c_stride,
                            size_t column_count) {
  rows_f32(rows, FINISH_FACTOR, a, a_stride, depth, b, factors, c, c_stride, column_count);
}
KERNEL void rows_f32_bias(size_t rows, const float *a, size_t a_stride, size_t depth,
                          const float *b, const float *bias, float *c, size_t c_stride,
                          size_t column_count) {
  rows_f32(rows, FINISH_BIAS, a, a_stride, depth, b, bias, c, c_stride, column_count);
}
KERNEL void rows_f32_gelu(size_t rows, const float *a, size_t a_stride, size_t depth,
                          const float *b, const float *bias, float *c, size_t c_stride,
                          size_t column_count) {
  rows_f32(rows, FINISH_GELU, a, a_stride, depth, b, bias, c, c_stride, column_count);
}
KERNEL void rows_i16_bias(size_t rows, const int16_t *a, const float *a_scales, size_t pairs,
                          const int16_t *b, const float *b_scales, const float *biases, float *c,
                          size_t c_stride, size_t column_count) {
  rows_i16(rows, FINISH_BIAS, a, a_scales, pairs, b, b_scales, biases, c, c_stride, column_count);
}
KERNEL void rows_i16_gelu(size_t rows, const int16_t *a, const float *a_scales, size_t pairs,
                          const int16_t *b, const float *b_scales, const float *biases, float *c,
                          size_t c_stride, size_t column_count) {
  rows_i16(rows, FINISH_GELU, a, a_scales, pairs, b, b_scales, biases, c, c_stride, column_count);
}

// --- Layers

// A panel of weights stays near while the rows go by.
KERNEL void linear_f32(const float *x, size_t x_stride, size_t m, const float *weights, size_t k,
                       size_t n, const float *bias, basis_activation activation, float *out,
                       size_t out_stride) {
  for (size_t j = 0; j < n; j += PANEL) {
    const float *b = weights + j * k;
    for (size_t i = 0; i < m;) {
      size_t rows = height_of(m - i);
      const float *a = x + i * x_stride;
      float *c = out + i * out_stride + j;
      if (activation == BASIS_ACTIVATION_GELU) {
        rows_f32_gelu(rows, a, x_stride, k, b, bias + j, c, out_stride, n - j);
      } else {
        rows_f32_bias(rows, a, x_stride, k, b, bias + j, c, out_stride, n - j);
      }
      i += rows;
    }
  }
}

KERNEL void linear_i16(const int16_t *x, const float *x_scales, size_t m, const int16_t *weights,
                       const float *weight_scales, size_t k, size_t n, const float *bias,
                       basis_activation activation, float *out, size_t out_stride) {
  size_t pairs = (k + 1) / 2;
  for (size_t j = 0; j < n; j += PANEL) {
    const int16_t *b = weights + j * 2 * pairs;
    for (size_t i = 0; i < m;) {
      size_t rows = height_of(m - i);
      const int16_t *a = x + i * 2 * pairs;
      float *c = out + i * out_stride + j;
      if (activation == BASIS_ACTIVATION_GELU) {
        rows_i16_gelu(rows, a, x_scales + i, pairs, b, weight_scales + j, bias + j, c, out_stride,
                      n - j);
      } else {
        rows_i16_bias(rows, a, x_scales + i, pairs, b, weight_scales + j, bias + j, c, out_stride,
                      n - j);
      }
      i += rows;
    }
  }
}

KERNEL void quantize(const float *x, size_t x_stride, size_t m, size_t k, int16_t *out,
                     float *scales) {
  size_t width = (k + 1) / 2 * 2;
  for (size_t r = 0; r < m; r++) {
    const float *row = x + r * x_stride;
    int16_t *to = out + r * width;
    V largest_of = v_zero();
    size_t i = 0;
    for (; i + LANES <= k; i += LANES) largest_of = v_max(largest_of, v_abs(v_load(row + i)));
    if (i < k) largest_of = v_max(largest_of, v_abs(v_load_first(row + i, k - i)));
    float largest = v_largest(largest_of);
    scales[r] = largest / BASIS_FIXED_LIMIT;
    // A row so small that its inverse is no number is as good as zero.
    float factor = largest > 1e-30f ? BASIS_FIXED_LIMIT / largest : 0;
    V factors = v_set(factor);
    for (i = 0; i + LANES <= k; i += LANES) i_store_narrow(to + i, v_mul(v_load(row + i), factors));
    if (i < k) i_store_narrow_first(to + i, v_mul(v_load_first(row + i, k - i), factors), k - i);
    if (width > k) to[k] = 0;
  }
}

KERNEL void add_norm(const float *x, const float *added, size_t m, size_t d, const float *gain,
                     const float *bias, float epsilon, float *out) {
  for (size_t r = 0; r < m; r++) {
    const float *a = x + r * d, *b = added + r * d;
    float *y = out + r * d;
    V sums[2] = {v_zero(), v_zero()};
    size_t i = 0;
    int which = 0;
    for (; i + LANES <= d; i += LANES, which ^= 1) {
      V v = v_add(v_load(a + i), v_load(b + i));
      v_store(y + i, v);
      sums[which] = v_add(sums[which], v);
    }
    if (i < d) {
      V v = v_add(v_load_first(a + i, d - i), v_load_first(b + i, d - i));
      v_store_first(y + i, v, d - i);
      sums[which] = v_add(sums[which], v);
    }
    float mean = v_sum(v_add(sums[0], sums[1])) / (float)d;
    V means = v_set(mean);
    sums[0] = sums[1] = v_zero();
    which = 0;
    for (i = 0; i + LANES <= d; i += LANES, which ^= 1) {
      V v = v_sub(v_load(y + i), means);
      sums[which] = v_fma(v, v, sums[which]);
    }
    float rest = 0;
    for (; i < d; i++) rest += (y[i] - mean) * (y[i] - mean);
    float variance = (v_sum(v_add(sums[0], sums[1])) + rest) / (float)d;
    V factors = v_set(1 / sqrtf(variance + epsilon));
    for (i = 0; i + LANES <= d; i += LANES) {
      V v = v_mul(v_sub(v_load(y + i), means), factors);
      v_store(y + i, v_fma(v, v_load(gain + i), v_load(bias + i)));
    }
    if (i < d) {
      V v = v_mul(v_sub(v_load_first(y + i, d - i), means), factors);
      v = v_fma(v, v_load_first(gain + i, d - i), v_load_first(bias + i, d - i));
      v_store_first(y + i, v, d - i);
    }
  }
}

// The numbers of a row become exp(scale * (number - the largest)); returns 1 / their sum.
INLINE float soften(float *row, size_t n, float scale) {
  V largest_of = v_set(row[0]);
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) largest_of = v_max(largest_of, v_load(row + i));
  float largest = v_largest(largest_of);
  for (; i < n; i++) largest = row[i] > largest ? row[i] : largest;
  V scales = v_set(scale), offsets = v_set(-largest * scale);
  V sum = v_zero();
  for (i = 0; i + LANES <= n; i += LANES) {
    V v = exponential_of(v_fma(v_load(row + i), scales, offsets));
    v_store(row + i, v);
    sum = v_add(sum, v);
  }
  if (i < n) {
    V v = exponential_of(v_fma(v_load_first(row + i, n - i), scales, offsets));
    v_store_first(row + i, v, n - i);
    sum = v_add(sum, v_load_first(row + i, n - i));
  }
  return 1 / v_sum(sum);
}

KERNEL void attention(const float *query, const float *key, const float *value, size_t stride,
                      size_t length, size_t size, float scale, float *out, size_t out_stride,
                      float *scratch) {
  size_t wide = (length + PANEL - 1) / PANEL * PANEL;
  size_t values_wide = (size + PANEL - 1) / PANEL * PANEL;
  float *keys = scratch;
  float *values = keys + wide * size;
  float *weights = values + length * values_wide;
  float *factors = weights + TILE_ROWS * wide;
  for (size_t j = 0; j < wide; j++) {
    float *to = keys + j / PANEL * PANEL * size + j % PANEL;
    const float *row = key + j * stride;
    for (size_t i = 0; i < size; i++) to[i * PANEL] = j < length ? row[i] : 0;
  }
  for (size_t c = 0; c < values_wide; c += PANEL) {
    for (size_t j = 0; j < length; j++) {
      float *to = values + c * length + j * PANEL;
      const float *row = value + j * stride;
      for (size_t i = 0; i < PANEL; i++) to[i] = c + i < size ? row[c + i] : 0;
    }
  }
  for (size_t i = 0; i < length;) {
    size_t rows = height_of(length - i);
    for (size_t j = 0; j < length; j += PANEL) {
      rows_f32_plain(rows, query + i * stride, stride, size, keys + j * size, weights + j, wide,
                     PANEL);
    }
    for (size_t r = 0; r < rows; r++) factors[r] = soften(weights + r * wide, length, scale);
    for (size_t c = 0; c < size; c += PANEL) {
      rows_f32_factor(rows, weights, wide, length, values + c * length, factors,
                      out + i * out_stride + c, out_stride, size - c);
    }
    i += rows;
  }
}

const basis_encoder_table LEVEL_TABLE = {LEVEL_NAME, PANEL,    PREFERS_FIXED, linear_f32, linear_i16,
                                         quantize,   add_norm, attention,     gelu,       exponential};
