// CRC-32C: reflected polynomial 0x82F63B78, all ones before and after (RFC 3720, appendix B.4).
#include <pthread.h>
#include <string.h>

#include "tables.h"

#define POLYNOMIAL 0x82F63B78u

// What one byte does to a CRC with 0...7 bytes of zeros after it.
static uint32_t byte_tables[8][256];
static pthread_once_t byte_tables_once = PTHREAD_ONCE_INIT;

static void make_byte_tables(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
    byte_tables[0][byte] = crc;
  }
  for (uint32_t byte = 0; byte < 256; byte++) {
    for (int t = 1; t < 8; t++) {
      uint32_t shorter = byte_tables[t - 1][byte];
      byte_tables[t][byte] = byte_tables[0][shorter & 255] ^ shorter >> 8;
    }
  }
}

uint32_t basis_crc32c_portable(uint32_t crc, const void *bytes, size_t n) {
  pthread_once(&byte_tables_once, make_byte_tables);
  const uint8_t *p = bytes;
  crc = ~crc;
  for (; n >= 8; p += 8, n -= 8) {
    uint32_t low = crc ^ (p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
    crc = byte_tables[7][low & 255] ^ byte_tables[6][low >> 8 & 255] ^
          byte_tables[5][low >> 16 & 255] ^ byte_tables[4][low >> 24] ^ byte_tables[3][p[4]] ^
          byte_tables[2][p[5]] ^ byte_tables[1][p[6]] ^ byte_tables[0][p[7]];
  }
  while (n--) crc = byte_tables[0][(crc ^ *p++) & 255] ^ crc >> 8;
  return ~crc;
}

#if defined(__x86_64__)

#include <nmmintrin.h>

#define TARGET __attribute__((target("sse4.2")))

// The instruction takes three cycles and starts every cycle, so three streams run side by side. A
// CRC is linear: what a stream did before another stream's STREAM bytes is found by a table.
#define STREAM 1024

static uint32_t stream_tables[4][256];
static pthread_once_t stream_tables_once = PTHREAD_ONCE_INIT;

static uint32_t after_zeros(uint32_t crc) {
  for (size_t i = 0; i < STREAM; i++) crc = byte_tables[0][crc & 255] ^ crc >> 8;
  return crc;
}

static void make_stream_tables(void) {
  pthread_once(&byte_tables_once, make_byte_tables);
  for (int t = 0; t < 4; t++) {
    for (int bit = 0; bit < 8; bit++) {
      uint32_t one = after_zeros(1u << (8 * t + bit));
      // Every byte is the sum of its highest bit and a smaller byte.
      for (int rest = 0; rest < 1 << bit; rest++) {
        stream_tables[t][1 << bit | rest] = one ^ stream_tables[t][rest];
      }
    }
  }
}

static inline uint64_t past_stream(uint64_t crc) {
  return stream_tables[0][crc & 255] ^ stream_tables[1][crc >> 8 & 255] ^
         stream_tables[2][crc >> 16 & 255] ^ stream_tables[3][crc >> 24 & 255];
}

static inline uint64_t word(const uint8_t *p) {
  uint64_t value;
  memcpy(&value, p, sizeof value);
  return value;
}

TARGET static uint32_t crc32c_sse42(uint32_t crc, const void *bytes, size_t n) {
  const uint8_t *p = bytes;
  uint64_t sum = (uint32_t)~crc;
  if (n >= 3 * STREAM) {
    pthread_once(&stream_tables_once, make_stream_tables);
    for (; n >= 3 * STREAM; p += 3 * STREAM, n -= 3 * STREAM) {
      uint64_t second = 0, third = 0;
      for (size_t i = 0; i < STREAM; i += 8) {
        sum = _mm_crc32_u64(sum, word(p + i));
        second = _mm_crc32_u64(second, word(p + STREAM + i));
        third = _mm_crc32_u64(third, word(p + 2 * STREAM + i));
      }
      sum = past_stream(past_stream(sum) ^ second) ^ third;
    }
  }
  for (; n >= 8; p += 8, n -= 8) sum = _mm_crc32_u64(sum, word(p));
  uint32_t rest = (uint32_t)sum;
  while (n--) rest = _mm_crc32_u8(rest, *p++);
  return ~rest;
}

#endif

uint32_t basis_crc32c(uint32_t crc, const void *bytes, size_t n) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return crc32c_sse42(crc, bytes, n);
#endif
  return basis_crc32c_portable(crc, bytes, n);
}
