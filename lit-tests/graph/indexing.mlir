// RUN: %roundtrip
// RUN: %generic_roundtrip
// RUN: deeploy-opt %s -p 'set-target{target=siracusa sizes="L1=2000"},place,form-nests,fuse-nests,plan,check-plan,bufferize,tile,insert-dma,pipeline,insert-barriers,assign-addresses' --check-semantics -t c | filecheck %s --check-prefix=C

// Rows of a table that is larger than L1: the kernel reads them from L2, where the table lies, so
// that only indices and results move. The second op finds the largest value of each row.

func.func @embedding(%table: tensor<1x512x64xf32>, %tokens: tensor<6xsi32>) -> tensor<1x6x1xsi32> {
  %0 = graph.gather %table at %tokens : tensor<1x512x64xf32> at tensor<6xsi32> -> tensor<1x6x64xf32>
  %1 = graph.arg_reduce "max" %0 {axis = 2 : i64, last} : tensor<1x6x64xf32> -> tensor<1x6x1xsi32>
  func.return %1 : tensor<1x6x1xsi32>
}

// CHECK-LABEL: func.func @embedding(%table: tensor<1x512x64xf32>, %tokens: tensor<6xsi32>) -> tensor<1x6x1xsi32> {
// CHECK-NEXT:    %0 = graph.gather %table at %tokens : tensor<1x512x64xf32> at tensor<6xsi32> -> tensor<1x6x64xf32>
// CHECK-NEXT:    %1 = graph.arg_reduce "max" %0 {axis = 2 : i64, last} : tensor<1x6x64xf32> -> tensor<1x6x1xsi32>

// C: dpl_gather_32_s32(&(dpl_gather_args){
// C: .x = {{.*}}network_L2
// C-SAME: .index = {{.*}}network_L1
// C: .rows = 512
// C: dpl_arg_max_last_f32(&(dpl_arg_reduce_args){
