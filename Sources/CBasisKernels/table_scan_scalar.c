#include "table_scan_tables.h"

static void scan(const uint8_t *blocks, size_t block_count, size_t positions,
                 const uint8_t *tables, uint16_t *out) {
  for (size_t block = 0; block < block_count; block++, blocks += 16 * positions, out += 32) {
    uint16_t sums[32] = {0};
    for (size_t p = 0; p < positions; p++) {
      const uint8_t *table = tables + 16 * p, *codes = blocks + 16 * p;
      for (int c = 0; c < 16; c++) {
        sums[c] = (uint16_t)(sums[c] + table[codes[c] & 15]);
        sums[c + 16] = (uint16_t)(sums[c + 16] + table[codes[c] >> 4]);
      }
    }
    for (int c = 0; c < 32; c++) out[c] = sums[c];
  }
}

static void unpack(const uint8_t *stream, size_t n, int bits, int8_t *out) {
  basis_unpack_tail(stream, 0, n, bits, out);
}

static void sum_at_bits_rows(const float *query, const uint8_t *rows, size_t row_count,
                             size_t stride, size_t n, float *out) {
  for (size_t r = 0; r < row_count; r++) {
    const uint8_t *row = rows + r * stride;
    float sums[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
      unsigned byte = row[i >> 3];
      for (int b = 0; b < 8; b++) sums[b] += byte >> b & 1 ? query[i + b] : 0;
    }
    for (int b = 0; i + b < n; b++) sums[b] += row[i >> 3] >> b & 1 ? query[i + b] : 0;
    out[r] = ((sums[0] + sums[4]) + (sums[1] + sums[5])) +
             ((sums[2] + sums[6]) + (sums[3] + sums[7]));
  }
}

const basis_table_scan_table basis_table_scan_scalar = {"scalar", scan, unpack, sum_at_bits_rows};
