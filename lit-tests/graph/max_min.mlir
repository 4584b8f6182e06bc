// RUN: %roundtrip
// RUN: %generic_roundtrip
// RUN: deeploy-opt %s -p 'set-target{target=siracusa sizes="L1=256"},place,form-nests,plan,bufferize,tile,insert-dma,pipeline,assign-addresses,overlap,insert-barriers' --check-semantics -t c | filecheck %s --check-prefix=C

// Maximum and minimum: operands broadcast, and are requantised as they are read.

func.func @max(%x: tensor<4x1x7xsi8>, %y: tensor<5x7xui8>) -> tensor<4x5x7xsi32> {
  %0 = graph.max %x, %y {lhs_requant = #graph.requant<mul = -77, add = 1000, shift = 5, min = -999, max = 999>} : tensor<4x1x7xsi8>, tensor<5x7xui8> -> tensor<4x5x7xsi32>
  %1 = graph.min %0, %y : tensor<4x5x7xsi32>, tensor<5x7xui8> -> tensor<4x5x7xsi32>
  func.return %1 : tensor<4x5x7xsi32>
}

// CHECK-LABEL: func.func @max(%x: tensor<4x1x7xsi8>, %y: tensor<5x7xui8>) -> tensor<4x5x7xsi32> {
// CHECK-NEXT:    %0 = graph.max %x, %y {lhs_requant = #graph.requant<mul = -77, add = 1000, shift = 5, min = -999, max = 999>} : tensor<4x1x7xsi8>, tensor<5x7xui8> -> tensor<4x5x7xsi32>
// CHECK-NEXT:    %1 = graph.min %0, %y : tensor<4x5x7xsi32>, tensor<5x7xui8> -> tensor<4x5x7xsi32>

// C: void dpl_max_s8_u8_s32_a_scaled_m999_999(const dpl_binary_args *args, uint32_t core, uint32_t cores);
// C: void dpl_min_s32_u8_s32(const dpl_binary_args *args, uint32_t core, uint32_t cores);
// C: for (int32_t
// C: dpl_max_s8_u8_s32_a_scaled_m999_999(&(dpl_binary_args){
// C: dpl_min_s32_u8_s32(&(dpl_binary_args){
