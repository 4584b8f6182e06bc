// RUN: deeploy-opt %s -p 'set-target{target=siracusa},place,form-nests,plan,bufferize,tile,insert-dma,pipeline,assign-addresses,overlap,insert-barriers' --check-semantics -t c | filecheck %s --check-prefix=C

// One instruction multiplies bytes by 16 bits, shifts and rounds.

func.func @short(%x: tensor<4xsi8>, %y: tensor<4xui8>) -> tensor<4xsi32> {
  %0 = graph.max %x, %y {lhs_requant = #graph.requant<mul = -32767, add = 16, shift = 5, min = -999, max = 999>, rhs_requant = #graph.requant<mul = 32767, add = 0, shift = 7, min = -2147483648, max = 2147483647>} : tensor<4xsi8>, tensor<4xui8> -> tensor<4xsi32>
  %1 = graph.max %x, %y {lhs_requant = #graph.requant<mul = 32768, add = 16, shift = 5, min = -999, max = 999>} : tensor<4xsi8>, tensor<4xui8> -> tensor<4xsi32>
  %2 = graph.min %0, %1 {lhs_requant = #graph.requant<mul = 1, add = 16, shift = 5, min = -999, max = 999>} : tensor<4xsi32>, tensor<4xsi32> -> tensor<4xsi32>
  func.return %2 : tensor<4xsi32>
}

// C: dpl_max_s8_u8_s32_a_rounded5_m999_999_b_shifted7_m2147483648_2147483647(&(dpl_binary_args){
// C: dpl_max_s8_u8_s32_a_scaled_m999_999(&(dpl_binary_args){
// C: dpl_min_s32_s32_s32_a_scaled_m999_999(&(dpl_binary_args){
