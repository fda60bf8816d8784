#include "tables.h"

#if BASIS_X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c,popcnt")))
#include "vectors_avx2.h"

OPERATION __m128 v_quarter(V v) {
  return _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
}
// Lanes 0 + 2 and 1 + 3, and those two: v_sum4 keeps the order.
OPERATION float v_sum(V v) {
  __m128 x = v_quarter(v);
  x = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}
OPERATION void v_sum4(const V *v, float *out) {
  __m128 a = v_quarter(v[0]), b = v_quarter(v[1]), c = v_quarter(v[2]), d = v_quarter(v[3]);
  __m128 ab = _mm_add_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
  __m128 cd = _mm_add_ps(_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
  _mm_storeu_ps(out, _mm_add_ps(_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab)));
}

// The first count halves, fewer than eight; the others are zero.
OPERATION __m128i load_halves(const uint16_t *p, size_t count) {
  uint16_t halves[8] = {0};
  for (size_t i = 0; i < count; i++) halves[i] = p[i];
  return _mm_loadu_si128((const __m128i *)halves);
}
OPERATION void store_halves(uint16_t *p, __m128i v, size_t count) {
  uint16_t halves[8];
  _mm_storeu_si128((__m128i *)halves, v);
  for (size_t i = 0; i < count; i++) p[i] = halves[i];
}
OPERATION V widen_bf16(__m128i h) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}
OPERATION __m128i narrow_bf16(V v) {
  __m256i bits = _mm256_castps_si256(v);
  __m256i upper = _mm256_srli_epi32(bits, 16);
  __m256i even = _mm256_and_si256(upper, _mm256_set1_epi32(1));
  __m256i bias = _mm256_add_epi32(even, _mm256_set1_epi32(0x7FFF));
  __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(bits, bias), 16);
  __m256i quiet = _mm256_or_si256(upper, _mm256_set1_epi32(0x40));
  __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
  __m256i result = _mm256_blendv_epi8(rounded, quiet, nan);
  return _mm_packus_epi32(_mm256_castsi256_si128(result), _mm256_extracti128_si256(result, 1));
}
OPERATION __m128i narrow_f16(V v) { return _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT); }

OPERATION V v_load_f16(const uint16_t *p) {
  return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}
OPERATION V v_load_first_f16(const uint16_t *p, size_t count) {
  return _mm256_cvtph_ps(load_halves(p, count));
}
OPERATION V v_load_bf16(const uint16_t *p) {
  return widen_bf16(_mm_loadu_si128((const __m128i *)p));
}
OPERATION V v_load_first_bf16(const uint16_t *p, size_t count) {
  return widen_bf16(load_halves(p, count));
}
OPERATION void v_store_f16(uint16_t *p, V v) { _mm_storeu_si128((__m128i *)p, narrow_f16(v)); }
OPERATION void v_store_first_f16(uint16_t *p, V v, size_t count) {
  store_halves(p, narrow_f16(v), count);
}
OPERATION void v_store_bf16(uint16_t *p, V v) { _mm_storeu_si128((__m128i *)p, narrow_bf16(v)); }
OPERATION void v_store_first_bf16(uint16_t *p, V v, size_t count) {
  store_halves(p, narrow_bf16(v), count);
}

#include "pack_avx.h"

#include "kernels_body.h"

// --- Integers

typedef __m256i I;

OPERATION I i_zero(void) { return _mm256_setzero_si256(); }
OPERATION I i_add(I a, I b) { return _mm256_add_epi32(a, b); }
OPERATION __m128i i_quarter(I v) {
  return _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}
OPERATION int32_t i_sum(I v) {
  __m128i x = i_quarter(v);
  x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(x, _mm_shuffle_epi32(x, 0xB1)));
}
OPERATION void i_sum4(const I *v, int32_t *out) {
  __m256i ab = _mm256_hadd_epi32(v[0], v[1]), cd = _mm256_hadd_epi32(v[2], v[3]);
  _mm_storeu_si128((__m128i *)out, i_quarter(_mm256_hadd_epi32(ab, cd)));
}

#define NAMED(name) JOIN(name, PAIR)
#define PAIR i8
#define WIDE_LANES 16
#define TILE_ROWS_I8 2

OPERATION I w_load(const int8_t *p) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)p));
}
OPERATION I w_load_first(const int8_t *p, size_t count) {
  int8_t bytes[16] = {0};
  for (size_t i = 0; i < count; i++) bytes[i] = p[i];
  return w_load(bytes);
}
OPERATION I w_sub(I a, I b) { return _mm256_sub_epi16(a, b); }
OPERATION I w_add_products(I sum, I a, I b) { return i_add(sum, _mm256_madd_epi16(a, b)); }

#include "int8_widened.h"

INLINE void distances_i8(const int8_t *query, const int8_t *const *rows, int row_count, size_t n,
                         int32_t *out, int difference) {
  widened_i8(query, rows, row_count, n, out, difference);
}
INLINE int32_t offset_i8(const int8_t *a, size_t d) {
  (void)a, (void)d;
  return 0;
}
INLINE void tile_i8(const int8_t *const *a, const int32_t *offsets, const int8_t *const *b,
                    size_t d, int32_t (*out)[ROWS_AT_ONCE]) {
  (void)offsets;
  widened_tile_i8(a, b, d, out);
}

#include "int8_body.h"
#undef PAIR

#define PAIR bits
#define BIT_LANES 4

OPERATION I b_load(const uint64_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
OPERATION I b_load_first(const uint64_t *p, size_t count) {
  __m256i mask = _mm256_cmpgt_epi64(_mm256_set1_epi64x((long long)count),
                                    _mm256_setr_epi64x(0, 1, 2, 3));
  return _mm256_maskload_epi64((const long long *)p, mask);
}
OPERATION I b_combine(I a, I b, int op) {
  return op ? _mm256_and_si256(a, b) : _mm256_xor_si256(a, b);
}
OPERATION I b_count_bytes(I v) {
  const __m256i counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                          0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low = _mm256_set1_epi8(15);
  __m256i upper = _mm256_and_si256(_mm256_srli_epi16(v, 4), low);
  return _mm256_add_epi8(_mm256_shuffle_epi8(counts, _mm256_and_si256(v, low)),
                         _mm256_shuffle_epi8(counts, upper));
}
OPERATION I b_add_bytes(I a, I b) { return _mm256_add_epi8(a, b); }
OPERATION I b_sum_bytes(I v) { return _mm256_sad_epu8(v, _mm256_setzero_si256()); }
OPERATION I b_double(I v) { return _mm256_add_epi64(v, v); }
OPERATION I b_xor(I a, I b, I c) { return _mm256_xor_si256(_mm256_xor_si256(a, b), c); }
OPERATION I b_majority(I a, I b, I c) {
  __m256i different = _mm256_xor_si256(a, b);
  return _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(different, c));
}

#include "bits_pshufb.h"
#undef PAIR

#include "table_body.h"

TABLE(basis_table_avx2, "avx2", "avx2", i8, bits);

#endif
