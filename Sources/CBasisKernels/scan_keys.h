// The smallest of many keys; for a level with INLINE.
INLINE size_t count_below(const uint64_t *keys, size_t n, uint64_t pivot) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) count += keys[i] < pivot;
  return count;
}

INLINE size_t keep_below(uint64_t *keys, size_t n, uint64_t pivot) {
  size_t kept = 0;
  for (size_t i = 0; i < n; i++) {
    uint64_t key = keys[i];
    keys[kept] = key;
    kept += key < pivot;
  }
  return kept;
}

// A pivot with wanted ... most keys below it; n is above wanted.
INLINE uint64_t find_pivot(const uint64_t *keys, size_t n, size_t wanted, size_t most) {
  uint64_t low = keys[0], high = keys[0];
  for (size_t i = 1; i < n; i++) {
    low = keys[i] < low ? keys[i] : low;
    high = keys[i] > high ? keys[i] : high;
  }
  // Fewer than wanted are below low; all but one, or more than most, are below high.
  while (high - low > 1) {
    uint64_t middle = low + (high - low) / 2;
    size_t below = count_below(keys, n, middle);
    if (below < wanted) {
      low = middle;
    } else {
      high = middle;
      if (below <= most) break;
    }
  }
  return high;
}
