#include "tables.h"

#if BASIS_X86

#include <immintrin.h>

#define FEATURES "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,f16c,popcnt"
#define TARGET __attribute__((target(FEATURES)))
#include "vectors_avx512.h"

OPERATION __m128 v_quarter(V v) {
  __m256 x = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
  return _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
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

OPERATION __m256i load_halves(const uint16_t *p, size_t count) {
  return _mm256_maskz_loadu_epi16(first_lanes(count), p);
}
OPERATION V widen_bf16(__m256i h) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}
OPERATION __m256i narrow_bf16(V v) {
  __m512i bits = _mm512_castps_si512(v);
  __m512i upper = _mm512_srli_epi32(bits, 16);
  __m512i even = _mm512_and_si512(upper, _mm512_set1_epi32(1));
  __m512i bias = _mm512_add_epi32(even, _mm512_set1_epi32(0x7FFF));
  __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(bits, bias), 16);
  __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
  __m512i result = _mm512_mask_or_epi32(rounded, nan, upper, _mm512_set1_epi32(0x40));
  return _mm512_cvtepi32_epi16(result);
}
OPERATION __m256i narrow_f16(V v) { return _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT); }

OPERATION V v_load_f16(const uint16_t *p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}
OPERATION V v_load_first_f16(const uint16_t *p, size_t count) {
  return _mm512_cvtph_ps(load_halves(p, count));
}
OPERATION V v_load_bf16(const uint16_t *p) {
  return widen_bf16(_mm256_loadu_si256((const __m256i *)p));
}
OPERATION V v_load_first_bf16(const uint16_t *p, size_t count) {
  return widen_bf16(load_halves(p, count));
}
OPERATION void v_store_f16(uint16_t *p, V v) { _mm256_storeu_si256((__m256i *)p, narrow_f16(v)); }
OPERATION void v_store_first_f16(uint16_t *p, V v, size_t count) {
  _mm256_mask_storeu_epi16(p, first_lanes(count), narrow_f16(v));
}
OPERATION void v_store_bf16(uint16_t *p, V v) {
  _mm256_storeu_si256((__m256i *)p, narrow_bf16(v));
}
OPERATION void v_store_first_bf16(uint16_t *p, V v, size_t count) {
  _mm256_mask_storeu_epi16(p, first_lanes(count), narrow_bf16(v));
}

#include "pack_avx.h"

#include "kernels_body.h"

// --- Integers

typedef __m512i I;

OPERATION I i_zero(void) { return _mm512_setzero_si512(); }
OPERATION I i_add(I a, I b) { return _mm512_add_epi32(a, b); }
OPERATION __m128i i_quarter(I v) {
  __m256i x = _mm256_add_epi32(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
}
OPERATION int32_t i_sum(I v) {
  __m128i x = i_quarter(v);
  x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(x, _mm_shuffle_epi32(x, 0xB1)));
}
OPERATION void i_sum4(const I *v, int32_t *out) {
  I ab = i_add(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
  I cd = i_add(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
  I all = i_add(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
  _mm_storeu_si128((__m128i *)out, i_quarter(all));
}

#define WIDE_LANES 32
#define TILE_ROWS_I8 4

OPERATION I w_load(const int8_t *p) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)p));
}
OPERATION I w_load_first(const int8_t *p, size_t count) {
  return _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8((__mmask32)((1ull << count) - 1), p));
}
OPERATION I w_sub(I a, I b) { return _mm512_sub_epi16(a, b); }

#define NAMED(name) JOIN(name, PAIR)
#define PAIR i8

OPERATION I w_add_products(I sum, I a, I b) { return i_add(sum, _mm512_madd_epi16(a, b)); }

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
#define BIT_LANES 8

OPERATION I b_load(const uint64_t *p) { return _mm512_loadu_si512(p); }
OPERATION I b_load_first(const uint64_t *p, size_t count) {
  return _mm512_maskz_loadu_epi64((__mmask8)((1u << count) - 1), p);
}
OPERATION I b_combine(I a, I b, int op) {
  return op ? _mm512_and_si512(a, b) : _mm512_xor_si512(a, b);
}
OPERATION I b_count_bytes(I v) {
  const __m512i counts = _mm512_broadcast_i32x4(
      _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
  const __m512i low = _mm512_set1_epi8(15);
  __m512i upper = _mm512_and_si512(_mm512_srli_epi16(v, 4), low);
  return _mm512_add_epi8(_mm512_shuffle_epi8(counts, _mm512_and_si512(v, low)),
                         _mm512_shuffle_epi8(counts, upper));
}
OPERATION I b_add_bytes(I a, I b) { return _mm512_add_epi8(a, b); }
OPERATION I b_sum_bytes(I v) { return _mm512_sad_epu8(v, _mm512_setzero_si512()); }
OPERATION I b_double(I v) { return _mm512_add_epi64(v, v); }
OPERATION I b_xor(I a, I b, I c) { return _mm512_ternarylogic_epi64(a, b, c, 0x96); }
OPERATION I b_majority(I a, I b, I c) { return _mm512_ternarylogic_epi64(a, b, c, 0xE8); }

#include "bits_pshufb.h"
#undef PAIR

// --- With VNNI: the same steps, from here on with its instructions

#undef TARGET
#define TARGET __attribute__((target(FEATURES ",avx512vnni")))
#define PAIR i8_vnni
#define w_add_products _mm512_dpwssd_epi32

OPERATION I b_load_bytes_first(const int8_t *p, size_t count) {
  return _mm512_maskz_loadu_epi8((1ull << count) - 1, p);
}

#include "int8_widened.h"

#include "int8_vnni.h"

#include "int8_body.h"
#undef PAIR

// --- With VPOPCNTDQ

#undef TARGET
#define TARGET __attribute__((target(FEATURES ",avx512vnni,avx512vpopcntdq")))
#define PAIR bits_popcnt

INLINE void distances_bits_popcnt(const uint64_t *query, const uint64_t *const *rows,
                                  int row_count, size_t n, int32_t *out, int op) {
  I sums[ROWS_AT_ONCE];
  UNROLL for (int r = 0; r < row_count; r++) sums[r] = i_zero();
  size_t i = 0;
  for (; i + BIT_LANES <= n; i += BIT_LANES) {
    I q = b_load(query + i);
    UNROLL for (int r = 0; r < row_count; r++) {
      I word = b_combine(b_load(rows[r] + i), q, op);
      sums[r] = i_add(sums[r], _mm512_popcnt_epi64(word));
    }
  }
  if (i < n) {
    I q = b_load_first(query + i, n - i);
    UNROLL for (int r = 0; r < row_count; r++) {
      I word = b_combine(b_load_first(rows[r] + i, n - i), q, op);
      sums[r] = i_add(sums[r], _mm512_popcnt_epi64(word));
    }
  }
  if (row_count == ROWS_AT_ONCE) {
    i_sum4(sums, out);
  } else {
    UNROLL for (int r = 0; r < row_count; r++) out[r] = i_sum(sums[r]);
  }
}

#include "bits_body.h"
#undef PAIR

#include "table_body.h"

TABLE(basis_table_avx512, "avx512", "avx512", i8, bits);
TABLE(basis_table_avx512_vnni, "avx512vnni", "avx512", i8_vnni, bits);
TABLE(basis_table_avx512_popcnt, "avx512popcnt", "avx512", i8_vnni, bits_popcnt);

#endif
