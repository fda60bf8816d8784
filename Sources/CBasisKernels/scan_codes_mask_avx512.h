INLINE uint32_t mask_not_above(const float *scores, float bound) {
  return _mm512_cmp_ps_mask(_mm512_loadu_ps(scores), _mm512_set1_ps(bound), _CMP_LE_OQ);
}
