// Loops that the compiler maps to whatever the level has. Before it: TARGET, OPERATION, and
// HAS_DOTS where the level has products of its own.
#include <string.h>

#ifndef HAS_DOTS

OPERATION void dots(const int8_t *query, const uint8_t *const *rows, size_t width, int32_t *out) {
  for (int r = 0; r < 4; r++) {
    const uint8_t *row = rows[r];
    int32_t sum = 0;
    for (size_t i = 0; i < width; i++) sum += (int32_t)row[i] * query[i];
    out[r] = sum;
  }
}

// Products of the query's bytes and a row's pairs of bits, 0 to 3.
OPERATION void pair_dots(const int8_t *query, const uint8_t *const *rows, size_t width,
                         int32_t *out) {
  for (int r = 0; r < 4; r++) {
    int32_t sum = 0;
    for (size_t start = 0, unit; start < width; start += unit) {
      unit = pair_unit(width - start);
      const uint8_t *bytes = rows[r] + start / 4;
      const int8_t *q = query + start;
      size_t step = unit / 4;
      for (size_t i = 0; i < step; i++) {
        unsigned four = bytes[i];
        sum += (int32_t)(four & 3) * q[i] + (int32_t)(four >> 2 & 3) * q[step + i] +
               (int32_t)(four >> 4 & 3) * q[2 * step + i] + (int32_t)(four >> 6) * q[3 * step + i];
      }
    }
    out[r] = sum;
  }
}

#endif

// Puts an entry into sorted ones, which have room for one more; where it is then.
OPERATION size_t insert(uint64_t *entries, size_t count, uint64_t entry) {
  size_t i = count;
  for (; i > 0 && entries[i - 1] >= entry; i--) entries[i] = entries[i - 1];
  entries[i] = entry;
  return i;
}

OPERATION void keys4(const int32_t *dot, int factor, int32_t offset, float scale,
                     const float *const *facts, float *out) {
  for (int r = 0; r < 4; r++) {
    float part = facts[r][0] * (float)(factor * dot[r] - offset);
    part = scale * part;
    out[r] = facts[r][1] - part;
  }
}

OPERATION size_t pick(const float *x, size_t count, float bound, uint32_t *out) {
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    out[kept] = (uint32_t)i;
    kept += x[i] <= bound;
  }
  return kept;
}

OPERATION int32_t signed_codes(const basis_graph_rows *rows, uint32_t row, int8_t *out) {
  const uint8_t *bytes = rows->codes + row * rows->stride;
  int32_t sum = 0;
  for (size_t i = 0; i < rows->dimension; i++) {
    out[i] = (int8_t)(bytes[i] ^ 0x80);
    sum += out[i];
  }
  memset(out + rows->dimension, 0, rows->width - rows->dimension);
  return sum;
}

OPERATION void tile_keys(const basis_graph_rows *members, const size_t *asking, size_t some,
                         size_t count, float *out) {
  int8_t codes[members->width];
  for (size_t q = 0; q < some; q++) {
    int32_t sum = signed_codes(members, (uint32_t)asking[q], codes);
    for (size_t m = 0; m < count; m += 4) {
      const uint8_t *rows[4];
      const float *facts[4];
      int32_t dot[4];
      float keys[4];
      size_t here = count - m < 4 ? count - m : 4;
      for (size_t r = 0; r < 4; r++) {
        size_t at = m + (r < here ? r : 0);
        rows[r] = members->codes + at * members->stride;
        facts[r] = members->facts + at * members->facts_stride;
      }
      dots(codes, rows, members->width, dot);
      keys4(dot, 1, 128 * sum, 2 * members->facts[asking[q] * members->facts_stride], facts, keys);
      memcpy(out + q * count + m, keys, here * sizeof *keys);
    }
  }
}
