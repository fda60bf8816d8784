// What the levels with BMI2 share; the including file defines KERNEL.
// Sums of bytes stay below 256 for this many positions of entries up to 18.
enum { STEPS_OF_BYTES = 14 };

// Eight levels of b bits are b bytes; b is known where this is inlined, so that a copy is a load.
KERNEL inline __attribute__((always_inline)) void unpack_eights(const uint8_t *stream, size_t n,
                                                                int bits, int8_t *out) {
  const uint64_t mask = 0x0101010101010101u * ((1u << bits) - 1);
  size_t i = 0;
  for (; i + 8 <= n; i += 8, stream += bits) {
    uint32_t packed = 0;
    memcpy(&packed, stream, (size_t)bits);
    uint64_t levels = _pdep_u64(packed, mask);
    memcpy(out + i, &levels, 8);
  }
  basis_unpack_tail(stream, 0, n - i, bits, out + i);
}

KERNEL void unpack_by_eights(const uint8_t *stream, size_t n, int bits,
                            int8_t *out) {
  switch (bits) {
    case 1: return unpack_eights(stream, n, 1, out);
    case 2: return unpack_eights(stream, n, 2, out);
    case 3: return unpack_eights(stream, n, 3, out);
    default: return unpack_eights(stream, n, 4, out);
  }
}
