// What the levels share. Before it: TARGET, LEVEL_NAME, LEVEL_TABLE, OPERATION, and
//   dots, pair_dots: products of a query and four rows; insert: into sorted entries;
//   keys4: keys of four rows; tile_keys: of all members to four; pick: positions below a bound;
//   signed_codes: a row's bytes as a query's.
#include <stdlib.h>

typedef basis_graph_rows Rows;
typedef basis_graph_query Query;

enum { AT_ONCE = 4, AHEAD = 12 };

OPERATION uint64_t entry_of(float key, uint32_t row) {
  uint32_t bits;
  memcpy(&bits, &key, sizeof bits);
  bits ^= (uint32_t)((int32_t)bits >> 31) | 0x80000000u;
  return (uint64_t)bits << 32 | (uint64_t)row << 1;
}

OPERATION float key_of(uint64_t entry) {
  uint32_t bits = (uint32_t)(entry >> 32);
  bits ^= bits & 0x80000000u ? 0x80000000u : 0xFFFFFFFFu;
  float key;
  memcpy(&key, &bits, sizeof key);
  return key;
}

OPERATION uint32_t row_of(uint64_t entry) { return (uint32_t)entry >> 1; }

OPERATION void fetch(const Rows *rows, uint32_t row) {
  const char *code = (const char *)(rows->codes + row * rows->stride);
  for (size_t i = 0; i < (rows->is_pairs ? rows->stride : rows->width); i += 64) {
    __builtin_prefetch(code + i);
  }
  if (rows->facts_stride == 2) __builtin_prefetch(rows->facts + 2 * (size_t)row);
}

OPERATION void keys_body(const Rows *rows, int is_pairs, const Query *query, const uint32_t *ids,
                         size_t count, float *out) {
  size_t stride = rows->stride, facts_stride = rows->facts_stride;
  for (size_t i = 0; i < count && i < AHEAD; i++) fetch(rows, ids[i]);
  for (size_t i = 0; i < count; i += AT_ONCE) {
    const uint8_t *at[AT_ONCE];
    int32_t dot[AT_ONCE];
    size_t some = count - i < AT_ONCE ? count - i : AT_ONCE;
    for (size_t r = 0; r < AT_ONCE; r++) {
      at[r] = rows->codes + ids[r < some ? i + r : i] * stride;
      if (i + r + AHEAD < count) fetch(rows, ids[i + r + AHEAD]);
    }
    if (is_pairs) {
      pair_dots(query->codes, at, rows->width, dot);
    } else {
      dots(query->codes, at, rows->width, dot);
    }
    const float *facts[AT_ONCE];
    float some_keys[AT_ONCE];
    for (size_t r = 0; r < AT_ONCE; r++) {
      facts[r] = rows->facts + ids[r < some ? i + r : i] * facts_stride;
    }
    keys4(dot, is_pairs ? 2 : 1, is_pairs ? 3 * query->sum : 128 * query->sum, query->scale, facts,
          some_keys);
    memcpy(out + i, some_keys, some * sizeof *out);
  }
}

OPERATION int is_set(const uint64_t *bits, uint32_t row) {
  return bits[row >> 6] >> (row & 63) & 1;
}
OPERATION void set(uint64_t *bits, uint32_t row) { bits[row >> 6] |= (uint64_t)1 << (row & 63); }

// Of a row's neighbours those that were not seen.
OPERATION size_t fresh(const Rows *rows, uint32_t row, uint64_t *seen, uint32_t *out) {
  const uint32_t *ids = rows->edges + row * rows->degree;
  size_t kept = 0;
  for (size_t i = 0; i < rows->degree && ids[i] != row; i++) {
    uint32_t id = ids[i];
    uint64_t word = seen[id >> 6], bit = (uint64_t)1 << (id & 63);
    out[kept] = id;
    kept += !(word & bit);
    seen[id >> 6] = word | bit;
  }
  return kept;
}

TARGET static void keys(const Rows *rows, const Query *query, const uint32_t *ids, size_t count,
                        float *out) {
  if (rows->is_pairs) {
    keys_body(rows, 1, query, ids, count, out);
  } else {
    keys_body(rows, 0, query, ids, count, out);
  }
}

OPERATION void fetch_some(const Rows *rows, const uint32_t *ids, size_t count) {
  // More would have to wait for each other.
  for (size_t i = 0; i < count && i < 48; i++) fetch(rows, ids[i]);
}

enum { KEYS_AT_ONCE = 256, COLLECTED_AT_ONCE = 64 };

// Compares the rows of a batch, and keeps those that are among the nearest.
OPERATION void receive(const Rows *rows, int is_pairs, const Query *query, basis_graph_walk *w) {
  float out[KEYS_AT_ONCE];
  uint64_t *beam = w->beam;
  size_t count = w->beam_count, width = w->width, next = w->next, added = w->added;
  uint32_t *batch = w->touched + w->touched_count;
  w->touched_count += added;
  for (size_t start = 0; start < added; start += KEYS_AT_ONCE) {
    size_t some = added - start < KEYS_AT_ONCE ? added - start : KEYS_AT_ONCE;
    keys_body(rows, is_pairs, query, batch + start, some, out);
    float limit = count < width ? __builtin_inff() : key_of(beam[count - 1]);
    for (size_t i = 0; i < some; i++) {
      if (!(out[i] <= limit)) continue;
      uint64_t entry = entry_of(out[i], batch[start + i]);
      if (count == width) {
        if (beam[count - 1] < entry) continue;
        count--;
      }
      size_t at = insert(beam, count, entry);
      count++;
      if (count == width) limit = key_of(beam[count - 1]);
      if (at < next) next = at;
    }
  }
  while (next < count && (beam[next] & 1)) next++;
  w->beam_count = count;
  w->next = next;
  for (size_t i = next, found = 0; i < count && found < w->step; i++) {
    if (beam[i] & 1) continue;
    const char *edge = (const char *)(rows->edges + row_of(beam[i]) * rows->degree);
    for (size_t b = 0; b < rows->degree * 4; b += 64) __builtin_prefetch(edge + b);
    found++;
  }
}

// Gathers the neighbours of the nearest rows that were not looked at; whether there are any.
OPERATION int expand(const Rows *rows, basis_graph_walk *w) {
  uint32_t *batch = w->touched + w->touched_count;
  size_t added = 0, expanded = 0;
  for (; w->next < w->beam_count && expanded < w->step; w->next++) {
    uint64_t entry = w->beam[w->next];
    if (entry & 1) continue;
    w->beam[w->next] = entry | 1;
    expanded++;
    added += fresh(rows, row_of(entry), w->seen, batch + added);
  }
  w->added = added;
  fetch_some(rows, batch, added);
  return expanded > 0;
}

OPERATION void walks_body(const Rows *rows, int is_pairs, const Query *queries,
                          basis_graph_walk *walks, size_t count) {
  size_t active = 0;
  for (size_t q = 0; q < count; q++) {
    basis_graph_walk *w = walks + q;
    w->beam_count = w->touched_count = w->next = 0;
    w->added = 0;
    for (size_t i = 0; i < w->entry_count; i++) {
      if (is_set(w->seen, w->entries[i])) continue;
      set(w->seen, w->entries[i]);
      w->touched[w->added++] = w->entries[i];
    }
    w->is_active = 1;
    active++;
  }
  // In turns, so that one walk's rows arrive while another computes.
  while (active > 0) {
    for (size_t q = 0; q < count; q++) {
      if (walks[q].is_active) receive(rows, is_pairs, queries + q, walks + q);
    }
    for (size_t q = 0; q < count; q++) {
      basis_graph_walk *w = walks + q;
      if (!w->is_active || expand(rows, w)) continue;
      w->is_active = 0;
      active--;
      for (size_t i = 0; i < w->touched_count; i++) w->seen[w->touched[i] >> 6] = 0;
    }
  }
}

TARGET static void walk(const Rows *rows, const Query *queries, basis_graph_walk *walks,
                        size_t count) {
  if (rows->is_pairs) {
    walks_body(rows, 1, queries, walks, count);
  } else {
    walks_body(rows, 0, queries, walks, count);
  }
}

// The pool's worst entry is its last.
OPERATION void pool_insert(uint64_t *pool, size_t size, uint64_t entry) {
  size_t low = 0, rest = size;
  while (rest > 0) {
    size_t half = rest / 2;
    int above = pool[low + half] < entry;
    low = above ? low + half + 1 : low;
    rest = above ? rest - half - 1 : half;
  }
  if (low == size || pool[low] == entry) return;
  memmove(pool + low + 1, pool + low, (size - 1 - low) * sizeof *pool);
  pool[low] = entry;
}

TARGET static void offer(const Rows *members, const uint32_t *ids, const uint8_t *asks,
                         size_t count, uint64_t *pools, size_t pool_size, float *scratch) {
  uint32_t *positions = (uint32_t *)(scratch + AT_ONCE * count);
  size_t next = 0;
  for (;;) {
    size_t asking[AT_ONCE], some = 0;
    for (; next < count && some < AT_ONCE; next++) {
      if (asks[next]) asking[some++] = next;
    }
    if (some == 0) return;
    tile_keys(members, asking, some, count, scratch);
    for (size_t q = 0; q < some; q++) {
      uint32_t self = ids[asking[q]];
      uint64_t *pool = pools + self * pool_size;
      const float *own = scratch + q * count;
      // A block at a time, so that the bound sinks.
      for (size_t start = 0; start < count; start += 128) {
        size_t block = count - start < 128 ? count - start : 128;
        uint64_t worst = pool[pool_size - 1];
        float bound = worst == UINT64_MAX ? __builtin_inff() : key_of(worst);
        size_t picked = pick(own + start, block, bound, positions);
        for (size_t i = 0; i < picked; i++) {
          size_t p = start + positions[i];
          if (ids[p] != self) pool_insert(pool, pool_size, entry_of(own[p], ids[p]));
        }
      }
    }
  }
}

TARGET static int32_t decode(const Rows *rows, uint32_t row, int8_t *codes) {
  return signed_codes(rows, row, codes);
}

TARGET static void nearest(const Rows *members, size_t count, const Query *query, size_t limit,
                           float *scratch, uint64_t *out) {
  uint32_t block[256];
  uint32_t positions[256];
  for (size_t i = 0; i < limit; i++) out[i] = UINT64_MAX;
  for (size_t start = 0; start < count; start += 256) {
    size_t some = count - start < 256 ? count - start : 256;
    for (size_t i = 0; i < some; i++) block[i] = (uint32_t)(start + i);
    if (members->is_pairs) {
      keys_body(members, 1, query, block, some, scratch);
    } else {
      keys_body(members, 0, query, block, some, scratch);
    }
    uint64_t worst = out[limit - 1];
    size_t picked =
        pick(scratch, some, worst == UINT64_MAX ? __builtin_inff() : key_of(worst), positions);
    for (size_t i = 0; i < picked; i++) {
      pool_insert(out, limit, entry_of(scratch[positions[i]], block[positions[i]]));
    }
  }
}

TARGET static size_t collect(const Rows *rows, const Query *query, const uint32_t *ids,
                             size_t count, uint64_t *entries, size_t kept, size_t limit) {
  float out[COLLECTED_AT_ONCE];
  uint32_t positions[COLLECTED_AT_ONCE];
  for (size_t start = 0; start < count; start += COLLECTED_AT_ONCE) {
    size_t some = count - start < COLLECTED_AT_ONCE ? count - start : COLLECTED_AT_ONCE;
    keys(rows, query, ids + start, some, out);
    float bound = kept < limit ? __builtin_inff() : key_of(entries[kept - 1]);
    size_t picked = pick(out, some, bound, positions);
    for (size_t i = 0; i < picked; i++) {
      uint64_t entry = entry_of(out[positions[i]], ids[start + positions[i]]);
      if (kept == limit) {
        if (entries[kept - 1] < entry) continue;
        kept--;
      }
      insert(entries, kept, entry);
      kept++;
    }
  }
  return kept;
}

TARGET static void refine(const Rows *rows, uint32_t row, const uint64_t *pools, size_t pool_size,
                          size_t reach, uint64_t *seen, uint32_t *scratch, uint64_t *out) {
  const uint64_t *own = pools + row * pool_size;
  float *found = (float *)(scratch + reach * reach);
  size_t count = 0;
  for (size_t i = 0; i < reach && own[i] != UINT64_MAX; i++) {
    __builtin_prefetch(pools + row_of(own[i]) * pool_size);
    __builtin_prefetch(pools + row_of(own[i]) * pool_size + 8);
  }
  set(seen, row);
  for (size_t i = 0; i < pool_size && own[i] != UINT64_MAX; i++) set(seen, row_of(own[i]));
  for (size_t i = 0; i < reach && own[i] != UINT64_MAX; i++) {
    const uint64_t *other = pools + row_of(own[i]) * pool_size;
    for (size_t j = 0; j < reach && other[j] != UINT64_MAX; j++) {
      if (is_set(seen, row_of(other[j]))) continue;
      set(seen, row_of(other[j]));
      scratch[count++] = row_of(other[j]);
    }
  }
  seen[row >> 6] = 0;
  for (size_t i = 0; i < pool_size && own[i] != UINT64_MAX; i++) seen[row_of(own[i]) >> 6] = 0;
  for (size_t i = 0; i < count; i++) seen[scratch[i] >> 6] = 0;
  int8_t codes[rows->width];
  Query query = {codes, 0, 0};
  query.sum = signed_codes(rows, row, codes);
  query.scale = 2 * rows->facts[row * rows->facts_stride];
  keys_body(rows, 0, &query, scratch, count, found);
  memcpy(out, own, pool_size * sizeof *out);
  for (size_t i = 0; i < count; i++) {
    uint64_t entry = entry_of(found[i], scratch[i]);
    if (entry < out[pool_size - 1]) pool_insert(out, pool_size, entry);
  }
}

TARGET static size_t prune(const Rows *rows, uint32_t row, const uint64_t *entries, size_t count,
                           float slack, size_t limit, uint32_t *out) {
  size_t stride = rows->stride, facts_stride = rows->facts_stride, kept = 0;
  float own = rows->facts[row * facts_stride + 1];
  int8_t codes[rows->width];
  for (size_t i = 0; i < count && i < AHEAD; i++) fetch(rows, row_of(entries[i]));
  for (size_t i = 0; i < count && kept < limit; i++) {
    if (i + AHEAD < count) fetch(rows, row_of(entries[i + AHEAD]));
    uint32_t candidate = row_of(entries[i]);
    if (candidate == row) continue;
    const float *facts = rows->facts + candidate * facts_stride;
    float distance = key_of(entries[i]) + own;
    int32_t sum = signed_codes(rows, candidate, codes);
    int occluded = 0;
    for (size_t k = 0; k < kept && !occluded; k += AT_ONCE) {
      const uint8_t *at[AT_ONCE];
      const float *others[AT_ONCE];
      int32_t dot[AT_ONCE];
      float between[AT_ONCE];
      size_t some = kept - k < AT_ONCE ? kept - k : AT_ONCE;
      for (size_t r = 0; r < AT_ONCE; r++) {
        uint32_t other = out[r < some ? k + r : k];
        at[r] = rows->codes + other * stride;
        others[r] = rows->facts + other * facts_stride;
      }
      dots(codes, at, rows->width, dot);
      keys4(dot, 1, 128 * sum, 2 * facts[0], others, between);
      for (size_t r = 0; r < some; r++) {
        float apart = between[r] + facts[1];
        apart = slack * apart;
        occluded |= apart < distance || (apart <= 0 && distance <= 0);
      }
    }
    if (!occluded) out[kept++] = candidate;
  }
  return kept;
}

static int by_entry(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

TARGET static void sort(const Rows *rows, uint32_t row, const uint32_t *ids, size_t count,
                        float *scratch, uint64_t *out) {
  int8_t codes[rows->width];
  Query query = {codes, 0, 0};
  query.sum = signed_codes(rows, row, codes);
  query.scale = 2 * rows->facts[row * rows->facts_stride];
  keys_body(rows, 0, &query, ids, count, scratch);
  for (size_t i = 0; i < count; i++) out[i] = entry_of(scratch[i], ids[i]);
  qsort(out, count, sizeof *out, by_entry);
}

// Floats between 2^22 and 2^23 are whole numbers: adding one rounds, ties to even.
TARGET static float encode(const float *x, const float *mean, size_t d, size_t width,
                           int8_t *codes, int32_t *sum) {
  float largest = 0;
  for (size_t i = 0; i < d; i++) {
    float away = __builtin_fabsf(x[i] - mean[i]);
    largest = away > largest ? away : largest;
  }
  float factor = largest > 1e-30f ? 127 / largest : 0;
  int32_t total = 0;
  for (size_t i = 0; i < d; i++) {
    float away = x[i] - mean[i];
    away = away * factor;
    away = away + 12582912.0f;
    int32_t code;
    memcpy(&code, &away, sizeof code);
    code -= 0x4B400000;
    codes[i] = (int8_t)code;
    total += code;
  }
  memset(codes + d, 0, width - d);
  *sum = total;
  return largest > 1e-30f ? largest / 127 : 0;
}

enum { THRESHOLDS = 8 };

// The threshold between 1 and 3 is the one of some after which the codes point most nearly where
// the row does.
TARGET static float pack(const float *x, const float *mean, size_t d, size_t width, uint8_t *out) {
  static const float steps[THRESHOLDS] = {0.6f, 0.75f, 0.9f, 1, 1.1f, 1.25f, 1.4f, 1.6f};
  float squared = 0, all = 0, thresholds[THRESHOLDS], above[THRESHOLDS], counts[THRESHOLDS];
  for (size_t i = 0; i < d; i++) {
    float away = x[i] - mean[i], square = away * away;
    squared = squared + square;
    all = all + __builtin_fabsf(away);
  }
  float deviation = __builtin_sqrtf(squared / (float)(d > 0 ? d : 1));
  for (int t = 0; t < THRESHOLDS; t++) {
    thresholds[t] = steps[t] * deviation;
    above[t] = counts[t] = 0;
  }
  for (size_t i = 0; i < d; i++) {
    float size = __builtin_fabsf(x[i] - mean[i]);
    for (int t = 0; t < THRESHOLDS; t++) {
      above[t] += size > thresholds[t] ? size : 0;
      counts[t] += size > thresholds[t] ? 1 : 0;
    }
  }
  float best = -1, product = 0, threshold = 0;
  for (int t = 0; t < THRESHOLDS; t++) {
    float twice = 2 * above[t], of_codes = 8 * counts[t];
    float with = all + twice;
    float share = with / (of_codes + (float)d) * with;
    if (!(share > best)) continue;
    best = share;
    product = with;
    threshold = thresholds[t];
  }
  memset(out, 0, width / 4);
  for (size_t start = 0, unit; start < width; start += unit) {
    unit = pair_unit(width - start);
    for (size_t i = start; i < start + unit && i < d; i++) {
      float away = x[i] - mean[i];
      unsigned far = __builtin_fabsf(away) > threshold;
      unsigned code = away > 0 ? 2 + far : 1 - far;
      size_t place = i - start;
      out[start / 4 + place % (unit / 4)] |= (uint8_t)(code << 2 * (place / (unit / 4)));
    }
  }
  return product > 0 ? squared / product : 0;
}

const basis_graph_table LEVEL_TABLE = {
    .name = LEVEL_NAME,
    .encode = encode,
    .pack = pack,
    .decode = decode,
    .keys = keys,
    .walk = walk,
    .offer = offer,
    .nearest = nearest,
    .collect = collect,
    .refine = refine,
    .prune = prune,
    .sort = sort,
};
