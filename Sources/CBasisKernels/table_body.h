// TABLE(variable, name, family, int8, bits): the kernels of one level, those of int8 and bits from
// their variants.
#define DISTANCE(kernel) \
  .kernel = kernel, .kernel##_rows = kernel##_rows, .kernel##_gathered = kernel##_gathered
#define INTEGERS(kernel, variant)                                                              \
  .kernel = variant, .kernel##_rows = variant##_rows, .kernel##_gathered = variant##_gathered, \
  .kernel##_pairs = variant##_pairs

#define TABLE(variable, level_name, family_name, int8, bits) \
  const basis_kernel_table variable = {                      \
      .name = level_name,                                    \
      .family = family_name,                                 \
      DISTANCE(dot_f32),                                     \
      DISTANCE(l2_f32),                                      \
      DISTANCE(dot_f32_f16),                                 \
      DISTANCE(l2_f32_f16),                                  \
      DISTANCE(dot_f16),                                     \
      DISTANCE(l2_f16),                                      \
      DISTANCE(dot_f32_bf16),                                \
      DISTANCE(l2_f32_bf16),                                 \
      DISTANCE(dot_bf16),                                    \
      DISTANCE(l2_bf16),                                     \
      .product_f32 = product_f32,                            \
      .pack_left_f32 = pack_left_f32,                        \
      .pack_right_f32 = pack_right_f32,                      \
      .product_packed_f32 = multiply_packed,                 \
      .packed_columns = TILE_COLUMNS,                        \
      .product_f32_f16 = product_f32_f16,                    \
      .product_f16 = product_f16,                            \
      .product_f32_bf16 = product_f32_bf16,                  \
      .product_bf16 = product_bf16,                          \
      .f16_from_f32 = f16_from_f32,                          \
      .bf16_from_f32 = bf16_from_f32,                        \
      .f32_from_f16 = f32_from_f16,                          \
      .f32_from_bf16 = f32_from_bf16,                        \
      INTEGERS(dot_i8, dot_##int8),                          \
      INTEGERS(l2_i8, l2_##int8),                            \
      INTEGERS(hamming_bits, hamming_##bits),                \
      INTEGERS(and_bits, and_##bits),                        \
      .weighted_rows_f32 = weighted_rows_f32,                \
      .select_f32 = select_f32,                              \
      .select_scaled_f32 = select_scaled_f32,                \
      .select_shifted_f32 = select_shifted_f32,              \
  }
