// RUN: %roundtrip
// RUN: %generic_roundtrip
// RUN: deeploy-opt %s -p 'set-target{target=siracusa sizes="L1=600"},place,form-nests,fuse-nests,plan,bufferize,tile,insert-dma,pipeline,insert-barriers,assign-addresses' --check-semantics -t c | filecheck %s --check-prefix=C

// A comparison and a choice: operands broadcast, and are cut to tiles like those of other ops.

func.func @mask(%q: tensor<8x1xsi32>, %k: tensor<16xsi8>, %x: tensor<4x8x16xf32>, %no: tensor<f32>) -> tensor<4x8x16xf32> {
  %c = graph.compare "less_equal" %k, %q : tensor<16xsi8>, tensor<8x1xsi32> -> tensor<8x16xui8>
  %0 = graph.select %c, %x, %no : tensor<8x16xui8>, tensor<4x8x16xf32>, tensor<f32> -> tensor<4x8x16xf32>
  func.return %0 : tensor<4x8x16xf32>
}

// CHECK-LABEL: func.func @mask(%q: tensor<8x1xsi32>, %k: tensor<16xsi8>, %x: tensor<4x8x16xf32>, %no: tensor<f32>) -> tensor<4x8x16xf32> {
// CHECK-NEXT:    %c = graph.compare "less_equal" %k, %q : tensor<16xsi8>, tensor<8x1xsi32> -> tensor<8x16xui8>
// CHECK-NEXT:    %0 = graph.select %c, %x, %no : tensor<8x16xui8>, tensor<4x8x16xf32>, tensor<f32> -> tensor<4x8x16xf32>

// C: void dpl_less_equal_s8_s32(const dpl_compare_args *args, uint32_t core, uint32_t cores);
// C: void dpl_select_32(const dpl_select_args *args, uint32_t core, uint32_t cores);
// C: for (int32_t
// C: dpl_less_equal_s8_s32(&(dpl_compare_args){
// C: dpl_select_32(&(dpl_select_args){
