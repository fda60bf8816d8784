// What all levels share; for the level with TARGET, LEVEL_NAME, LEVEL_TABLE and
//   byte_sums(blocks, block_count, groups, queries, query_count, sums)   of 1 to 4 blocks and 1, 2,
//                                                  4 or 6 queries, both constants
//   block_sums(block, groups, tables, query_count, sums)   of a block of bits and 1 to 4 queries
//   mask_not_above(scores, bound)                  a bit for each of 16
#include <float.h>
#include <math.h>
#include <string.h>

// Every level rounds the same way.
#pragma clang fp contract(off)

typedef float V __attribute__((ext_vector_type(16), aligned(4)));
typedef int32_t I __attribute__((ext_vector_type(16), aligned(4)));

#include "scan_keys.h"

enum { MOST_QUERIES = 6 };

INLINE uint32_t ordered(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits ^ ((uint32_t)((int32_t)bits >> 31) | 0x80000000u);
}

INLINE float from_ordered(uint32_t order) {
  uint32_t bits = order >> 31 ? order ^ 0x80000000u : ~order;
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

// Makes room: some more than the wanted keys may stay.
TARGET static __attribute__((noinline)) void narrow(basis_code_query *query) {
  uint32_t room = query->capacity - query->wanted - BASIS_CODE_SCAN_ROWS;
  query->limit = find_pivot(query->keys, query->count, query->wanted, query->wanted + room / 4);
  query->count = (uint32_t)keep_below(query->keys, query->count, query->limit);
  query->bound = from_ordered((uint32_t)((query->limit - 1) >> 32));
}

TARGET static __attribute__((noinline)) void take(basis_code_query *query, uint32_t mask,
                                                  const V *scores, size_t id) {
  if (query->count + 16 > query->capacity) narrow(query);
  while (mask != 0) {
    size_t i = (size_t)__builtin_ctz(mask);
    mask &= mask - 1;
    uint64_t key = (uint64_t)ordered((*scores)[i]) << 32 | (uint32_t)(id + i);
    if (key < query->limit) query->keys[query->count++] = key;
  }
}

// The bits of n rows, at most 64, of which the first is a multiple of n.
INLINE uint64_t allowed_rows(const uint64_t *allowed, size_t row, size_t n) {
  uint64_t word = allowed[row >> 6] >> (row & 63);
  return n < 64 ? word & (((uint64_t)1 << n) - 1) : word;
}

// Takes what may be among the smallest of n sums, at most 64.
INLINE void select_rows(basis_code_query *query, const int32_t *sums, size_t n,
                        const float *factors, const float *biases, size_t id,
                        const uint64_t *allowed) {
  for (size_t i = 0; i < n; i += 16) {
    V score = __builtin_convertvector(*(const I *)(sums + i) - query->offset, V);
    if (factors) score = score * *(const V *)(factors + i);
    if (biases) score = score + *(const V *)(biases + i) * query->scale;
    uint32_t mask = mask_not_above((const float *)&score, query->bound);
    if (n - i < 16) mask &= (1u << (n - i)) - 1;
    // Before anything else: what is not allowed may all be nearer than what is.
    if (allowed) mask &= allowed_rows(allowed, id + i, 16);
    if (mask != 0) take(query, mask, &score, id + i);
  }
}

// The same sum at every level.
INLINE float sum_of(const V *x) {
  float sum = 0;
  for (size_t i = 0; i < 16; i++) sum += (*x)[i];
  return sum;
}

TARGET static basis_query_bytes query_bytes(const float *x, size_t n, int8_t *out) {
  V largest = (V)(0.0f);
  for (size_t i = 0; i < n; i += 16) {
    V value = (V)(0.0f);
    memcpy(&value, x + i, 4 * (n - i < 16 ? n - i : 16));
    largest = __builtin_elementwise_max(largest, __builtin_elementwise_abs(value));
  }
  basis_query_bytes result = {__builtin_reduce_max(largest) / 127, 0, 0, 0};
  float inverse = 1 / result.unit;
  if (!(inverse < INFINITY)) result.unit = inverse = 0;
  V squares = (V)(0.0f), errors = (V)(0.0f);
  I sum = (I)(0);
  for (size_t i = 0; i < n; i += 16) {
    size_t count = n - i < 16 ? n - i : 16;
    V value = (V)(0.0f);
    memcpy(&value, x + i, 4 * count);
    // Adding and taking off 1.5 * 2^23 leaves a whole number.
    V level = value * inverse + (V)(0x1.8p23f) - (V)(0x1.8p23f);
    I whole = __builtin_convertvector(level, I);
    V difference = value - level * result.unit;
    squares += value * value;
    errors += difference * difference;
    sum -= whole;
    for (size_t j = 0; j < count; j++) out[i + j] = (int8_t)-whole[j];
  }
  result.sum = __builtin_reduce_add(sum);
  result.squares = sum_of(&squares);
  result.errors = sum_of(&errors);
  return result;
}

// What a part's signs add to a sum is one of two numbers a weight, so a table of sixteen words is
// the sum of four that are two-valued.
TARGET static float sign_table(const float *weights, size_t n, size_t groups, uint8_t *table,
                               float *least) {
  float widest = 0, sum = 0;
  for (size_t first = 0; first < groups; first += BASIS_SCAN_RUN) {
    float ranges[4] = {0, 0, 0, 0};
    size_t end = groups - first < BASIS_SCAN_RUN ? groups : first + BASIS_SCAN_RUN;
    for (size_t i = 16 * first; i < 16 * end && i < n; i++) {
      ranges[i / 4 % 4] += 2 * fabsf(weights[i]);
      sum += fabsf(weights[i]);
    }
    for (size_t s = 0; s < 4; s++) widest = ranges[s] > widest ? ranges[s] : widest;
  }
  // Rounding may add a half for each weight of a run.
  float step = widest / (254 - 2.0f * BASIS_SCAN_RUN);
  if (!(step >= FLT_MIN)) step = FLT_MIN;
  float inverse = 2 / step;
  typedef uint8_t W __attribute__((ext_vector_type(16), aligned(1)));
  const W set[4] = {{0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255},
                    {0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 255, 255},
                    {0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 255, 255, 255, 255},
                    {0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255}};
  for (size_t part = 0; part < 4 * groups; part++) {
    W words = (W)(0);
    for (size_t j = 0; j < 4 && 4 * part + j < n; j++) {
      float weight = weights[4 * part + j];
      W level = (W)((uint8_t)(fabsf(weight) * inverse + 0.5f));
      words += level & (weight < 0 ? set[j] : ~set[j]);
    }
    *(W *)(table + 16 * part) = words;
  }
  *least = -sum;
  return step;
}

INLINE void bytes_tile(const uint8_t *blocks, size_t n, size_t groups, const float *factors,
                       const float *biases, size_t first_id, const uint64_t *allowed,
                       basis_code_query *queries, size_t query_count) {
  const int8_t *codes[MOST_QUERIES];
  int32_t sums[MOST_QUERIES][BASIS_CODE_SCAN_ROWS];
  size_t of_block = groups * BASIS_BYTES_GROUP_BYTES;
  for (size_t q = 0; q < query_count; q++) codes[q] = (const int8_t *)queries[q].codes;
  for (size_t first = 0; first < n; first += BASIS_CODE_SCAN_ROWS) {
    size_t rest = n - first < BASIS_CODE_SCAN_ROWS ? n - first : BASIS_CODE_SCAN_ROWS;
    if (allowed && !allowed_rows(allowed, first_id + first, BASIS_CODE_SCAN_ROWS)) continue;
    const uint8_t *start = blocks + first / BASIS_BYTES_BLOCK * of_block;
    if (rest > 3 * BASIS_BYTES_BLOCK) {
      byte_sums(start, 4, groups, codes, query_count, &sums[0][0]);
    } else {
      for (size_t row = 0; row < rest; row += BASIS_BYTES_BLOCK) {
        byte_sums(start + row / BASIS_BYTES_BLOCK * of_block, 1, groups, codes, query_count,
                  &sums[0][row]);
      }
    }
    for (size_t q = 0; q < query_count; q++) {
      select_rows(queries + q, sums[q], rest, factors ? factors + first : NULL,
                  biases ? biases + first : NULL, first_id + first, allowed);
    }
  }
}

TARGET static void collect_bytes(const uint8_t *blocks, size_t n, size_t groups,
                                 const float *factors, const float *biases, size_t first_id,
                                 const uint64_t *allowed, basis_code_query *queries,
                                 size_t query_count) {
#define TILE(width)                                                                         \
  for (; query_count >= width; query_count -= width, queries += width) {                    \
    bytes_tile(blocks, n, groups, factors, biases, first_id, allowed, queries, width);      \
  }
  TILE(6)
  TILE(4)
  TILE(2)
  TILE(1)
#undef TILE
}

TARGET static void collect_bits(const uint8_t *blocks, size_t n, size_t groups,
                                const float *factors, const float *biases, size_t first_id,
                                const uint64_t *allowed, basis_code_query *queries,
                                size_t query_count) {
  uint16_t narrow_sums[4][BASIS_SCAN_BLOCK];
  int32_t sums[BASIS_SCAN_BLOCK];
  const uint8_t *tables[4];
  size_t of_block = groups * BASIS_SCAN_GROUP_BYTES;
  for (size_t start = 0; start < query_count; start += 4) {
    size_t width = query_count - start < 4 ? query_count - start : 4;
    for (size_t q = 0; q < width; q++) tables[q] = (const uint8_t *)queries[start + q].codes;
    for (size_t first = 0; first < n; first += BASIS_SCAN_BLOCK) {
      size_t rest = n - first < BASIS_SCAN_BLOCK ? n - first : BASIS_SCAN_BLOCK;
      if (allowed && !allowed_rows(allowed, first_id + first, BASIS_SCAN_BLOCK)) continue;
      block_sums(blocks + first / BASIS_SCAN_BLOCK * of_block, groups, tables, width, narrow_sums);
      for (size_t q = 0; q < width; q++) {
        for (size_t i = 0; i < BASIS_SCAN_BLOCK; i++) sums[i] = narrow_sums[q][i];
        select_rows(queries + start + q, sums, rest, factors ? factors + first : NULL,
                    biases ? biases + first : NULL, first_id + first, allowed);
      }
    }
  }
}

const basis_code_scan_table LEVEL_TABLE = {
    .name = LEVEL_NAME,
    .query_bytes = query_bytes,
    .sign_table = sign_table,
    .collect_bytes = collect_bytes,
    .collect_bits = collect_bits,
};
