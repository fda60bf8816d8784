// What all levels share; for the level with TARGET, LEVEL_NAME, LEVEL_TABLE and
//   block_sums(block, groups, tables, query_count, sums)   32 sums of each of up to 4 queries
//   block_mask(sums, limit)                                 a bit for each sum that is not above
#include <float.h>
#include <math.h>
#include <string.h>

#pragma clang fp contract(off)

typedef float V __attribute__((ext_vector_type(16), aligned(4)));
typedef int32_t I __attribute__((ext_vector_type(16), aligned(4)));

#define INLINE TARGET static inline __attribute__((always_inline))

TARGET static void sums(const uint8_t *blocks, size_t block_count, size_t groups,
                        const uint8_t *table, uint16_t *out) {
  for (size_t b = 0; b < block_count; b++) {
    block_sums(blocks + b * groups * BASIS_SCAN_GROUP_BYTES, groups, &table, 1,
               (uint16_t(*)[32])(out + 32 * b));
  }
}

#include "scan_keys.h"

TARGET static size_t smallest(uint64_t *keys, size_t n, size_t wanted) {
  if (n <= wanted) return n;
  if (wanted == 0) return 0;
  return keep_below(keys, n, find_pivot(keys, n, wanted, wanted));
}

// Makes room: some more than the wanted keys may stay.
TARGET static __attribute__((noinline)) void narrow(basis_scan_query *query) {
  uint32_t room = query->capacity - query->wanted - 32;
  query->limit = find_pivot(query->keys, query->count, query->wanted, query->wanted + room / 4);
  query->count = (uint32_t)keep_below(query->keys, query->count, query->limit);
}

// The largest sum that may still be of use, or -1.
INLINE int64_t largest_of_use(const basis_scan_query *query) {
  return (int64_t)((query->limit - 1) >> 32) - (int64_t)query->bias;
}

INLINE void take(basis_scan_query *query, uint32_t score, uint32_t id, const uint64_t *allowed) {
  if (allowed && !(allowed[id >> 6] >> (id & 63) & 1)) return;
  uint64_t key = (uint64_t)score << 32 | id;
  if (key >= query->limit) return;
  query->keys[query->count++] = key;
}

INLINE uint32_t biased(const basis_scan_query *query, float bias) {
  return (uint32_t)(int32_t)rintf(bias * query->scale);
}

INLINE void collect_block(basis_scan_query *query, const uint16_t *sums, size_t first, size_t n,
                          const uint32_t *ids, const float *biases, const uint64_t *allowed) {
  int64_t largest = largest_of_use(query);
  if (largest < 0) return;
  uint32_t mask = block_mask(sums, largest > UINT16_MAX ? UINT16_MAX : (uint16_t)largest);
  if (n < 32) mask &= (1u << n) - 1;
  if (mask == 0) return;
  if (query->count + 32 > query->capacity) narrow(query);
  while (mask != 0) {
    size_t i = (size_t)__builtin_ctz(mask);
    mask &= mask - 1;
    uint32_t score = sums[i] + query->bias;
    if (biases) score += biased(query, biases[first + i]);
    take(query, score, ids[first + i], allowed);
  }
}

TARGET static void collect(const uint8_t *blocks, size_t n, size_t groups, const uint32_t *ids,
                           const float *biases, const uint64_t *allowed,
                           basis_scan_query *const *queries, size_t query_count) {
  uint16_t sums[4][32];
  const uint8_t *tables[4];
  size_t of_block = groups * BASIS_SCAN_GROUP_BYTES;
  for (size_t start = 0; start < query_count; start += 4) {
    size_t width = query_count - start < 4 ? query_count - start : 4;
    basis_scan_query *const *some = queries + start;
    for (size_t q = 0; q < width; q++) tables[q] = some[q]->table;
    for (size_t first = 0; first < n; first += 32) {
      block_sums(blocks + first / 32 * of_block, groups, tables, width, sums);
      size_t rest = n - first < 32 ? n - first : 32;
      for (size_t q = 0; q < width; q++) {
        collect_block(some[q], sums[q], first, rest, ids, biases, allowed);
      }
    }
  }
}

#define splat(x) ((V)(x))

static const I lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

// Where the least of 16 values that the lanes have kept is, and it.
INLINE uint32_t least_of(const V *values, const I *places, float *least) {
  float best = __builtin_reduce_min(*values);
  *least = best;
  I candidates = *values == splat(best) ? *places : (I){} + INT32_MAX;
  return (uint32_t)__builtin_reduce_min(candidates);
}

TARGET static void nearest(const float *products, size_t stride, size_t m, const float *halves,
                           size_t n, uint32_t *out, float *values) {
  for (size_t i = 0; i < m; i++) {
    const float *row = products + i * stride;
    V best = splat(INFINITY);
    I places = (I){};
    size_t j = 0;
    for (; j + 16 <= n; j += 16) {
      V x = *(const V *)(halves + j) - *(const V *)(row + j);
      I better = x < best;
      best = better ? x : best;
      places = better ? lanes + (int32_t)j : places;
    }
    float least;
    uint32_t place = least_of(&best, &places, &least);
    for (; j < n; j++) {
      float x = halves[j] - row[j];
      if (x < least) {
        least = x;
        place = (uint32_t)j;
      }
    }
    out[i] = place;
    values[i] = least;
  }
}

TARGET static void rank(const float *products, const float *halves, size_t n, uint64_t *keys) {
  for (size_t j = 0; j < n; j++) {
    float x = (halves ? halves[j] : 0) - products[j];
    uint32_t bits;
    memcpy(&bits, &x, 4);
    bits ^= (uint32_t)((int32_t)bits >> 31) | 0x80000000u;
    keys[j] = (uint64_t)bits << 32 | j;
  }
}

// The word with the least loss. along is the product of the other parts' errors with the
// direction.
INLINE uint32_t nearest_word(const float *x, const float *u, size_t width, const float *words,
                             size_t size, float excess, float along) {
  V best = splat(INFINITY);
  I places = (I){};
  for (size_t first = 0; first < size; first += 16) {
    V squares = (V){}, shadow = splat(along);
    for (size_t j = 0; j < width; j++) {
      V error = splat(x[j]) - *(const V *)(words + j * size + first);
      squares += error * error;
      if (u) shadow += error * splat(u[j]);
    }
    if (u) squares += splat(excess) * shadow * shadow;
    I better = squares < best;
    best = better ? squares : best;
    places = better ? lanes + (int32_t)first : places;
  }
  float least;
  return least_of(&best, &places, &least);
}

TARGET static void encode(const float *rows, const float *directions, size_t n, size_t parts,
                          size_t width, const float *words, size_t size, float excess,
                          size_t passes, uint8_t *out) {
  size_t d = parts * width;
  for (size_t i = 0; i < n; i++) {
    const float *row = rows + i * d;
    uint8_t *code = out + i * parts;
    for (size_t p = 0; p < parts; p++) {
      code[p] = (uint8_t)nearest_word(row + p * width, NULL, width, words + p * width * size, size,
                                      0, 0);
    }
    if (!directions) continue;
    const float *u = directions + i * d;
    for (size_t pass = 0; pass < passes; pass++) {
      // Summed anew each time, so that rounding does not add up.
      float along = 0;
      for (size_t p = 0; p < parts; p++) {
        for (size_t j = 0; j < width; j++) {
          along += (row[p * width + j] - words[(p * width + j) * size + code[p]]) * u[p * width + j];
        }
      }
      int changed = 0;
      for (size_t p = 0; p < parts; p++) {
        const float *of_part = words + p * width * size;
        float own = 0;
        for (size_t j = 0; j < width; j++) {
          own += (row[p * width + j] - of_part[j * size + code[p]]) * u[p * width + j];
        }
        uint32_t word =
            nearest_word(row + p * width, u + p * width, width, of_part, size, excess, along - own);
        if (word == code[p]) continue;
        changed = 1;
        code[p] = (uint8_t)word;
        along -= own;
        for (size_t j = 0; j < width; j++) {
          along += (row[p * width + j] - of_part[j * size + word]) * u[p * width + j];
        }
      }
      if (!changed) break;
    }
  }
}

TARGET static void products(const float *x, size_t parts, size_t width, const float *words,
                            size_t size, float *out) {
  for (size_t p = 0; p < parts; p++) {
    for (size_t first = 0; first < size; first += 16) {
      V sum = (V){};
      for (size_t j = 0; j < width; j++) {
        sum -= splat(x[p * width + j]) * *(const V *)(words + (p * width + j) * size + first);
      }
      *(V *)(out + p * size + first) = sum;
    }
  }
}

TARGET static float quantize(const float *values, size_t parts, size_t groups, uint8_t *table,
                             float *offset) {
  float widest = 0, least_sum = 0;
  for (size_t first = 0; first < groups; first += BASIS_SCAN_RUN) {
    float ranges[4] = {0, 0, 0, 0};
    size_t end = groups - first < BASIS_SCAN_RUN ? groups : first + BASIS_SCAN_RUN;
    for (size_t part = 4 * first; part < 4 * end && part < parts; part++) {
      V of = *(const V *)(values + 16 * part);
      float least = __builtin_reduce_min(of);
      ranges[part % 4] += __builtin_reduce_max(of) - least;
      least_sum += least;
    }
    for (size_t s = 0; s < 4; s++) widest = ranges[s] > widest ? ranges[s] : widest;
  }
  // Rounding may add a half to each of a run's entries.
  float step = widest / (254 - 0.5f * BASIS_SCAN_RUN);
  if (!(step >= FLT_MIN)) step = FLT_MIN;
  float inverse = 1 / step;
  for (size_t part = 0; part < 4 * groups; part++) {
    uint8_t *entries = table + 16 * part;
    if (part >= parts) {
      memset(entries, 0, 16);
      continue;
    }
    V of = *(const V *)(values + 16 * part);
    V steps = (of - splat(__builtin_reduce_min(of))) * splat(inverse) + splat(0.5f);
    I whole = __builtin_convertvector(steps, I);
    for (size_t v = 0; v < 16; v++) entries[v] = (uint8_t)whole[v];
  }
  *offset = least_sum;
  return step;
}

const basis_scan_table LEVEL_TABLE = {
    .name = LEVEL_NAME,
    .sums = sums,
    .collect = collect,
    .smallest = smallest,
    .nearest = nearest,
    .rank = rank,
    .encode = encode,
    .products = products,
    .quantize = quantize,
};
