// RUN: deeploy-opt %s -p fold-constants,simplify,fuse-requant,convert-to-channels-last,cancel-transposes,fold-constants,simplify,fuse-requant --check-semantics --print-debuginfo | filecheck %s

// All passes together, on a small residual network.

// One transpose is left, at the input; locations are those of the compute ops.

func.func @network(%x: tensor<1x2x4x4xui8>) -> tensor<1x3xsi8> {
  %w = graph.constant dense<1> : tensor<2x2x3x3xsi8>
  %m = graph.constant dense<[[[3]], [[4]]]> : tensor<2x1x1xsi32>
  %v = graph.constant dense<2> : tensor<3x8xsi8>
  %0 = graph.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 1} : tensor<1x2x4x4xui8>, tensor<2x2x3x3xsi8> -> tensor<1x2x4x4xsi32> loc("Conv_0")
  %1 = graph.requant %0 mul %m : tensor<2x1x1xsi32> {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<1x2x4x4xsi32> -> tensor<1x2x4x4xsi8> loc("RequantShift_1")
  %2 = graph.requant %x {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<1x2x4x4xui8> -> tensor<1x2x4x4xsi8> loc("RequantShift_2")
  %3 = graph.add %1, %2 : tensor<1x2x4x4xsi8>, tensor<1x2x4x4xsi8> -> tensor<1x2x4x4xsi32> loc("Add_3")
  %4 = graph.requant %3 mul %m : tensor<2x1x1xsi32> {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<1x2x4x4xsi32> -> tensor<1x2x4x4xsi8> loc("RequantShift_4")
  %5 = graph.max_pool %4 {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, kernel = array<i64: 2, 2>} : tensor<1x2x4x4xsi8> -> tensor<1x2x2x2xsi8> loc("MaxPool_5")
  %6 = graph.reshape %5 : tensor<1x2x2x2xsi8> -> tensor<1x8xsi8> loc("Flatten_6")
  %7 = graph.matmul %6, %v {transpose_rhs} : tensor<1x8xsi8>, tensor<3x8xsi8> -> tensor<1x3xsi32> loc("Gemm_7")
  %8 = graph.requant %7 {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<1x3xsi32> -> tensor<1x3xsi8> loc("RequantShift_8")
  func.return %8 : tensor<1x3xsi8>
}

// CHECK-LABEL: func.func @network(%x: tensor<1x2x4x4xui8> loc(unknown)) -> tensor<1x3xsi8> {
// CHECK-NEXT:    %mul = graph.constant dense<[3, 4]> : tensor<2xsi32> loc("RequantShift_1")
// CHECK-NEXT:    %0 = graph.transpose %x {permutation = array<i64: 0, 2, 3, 1>} : tensor<1x2x4x4xui8> -> tensor<1x4x4x2xui8> loc("Conv_0")
// CHECK-NEXT:    %w = graph.constant dense_resource<w> : tensor<2x3x3x2xsi8> loc("Conv_0")
// CHECK-NEXT:    %1 = graph.conv %0, %w mul %mul : tensor<2xsi32> {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, requant = #graph.requant<mul = 1, add = 16, shift = 5, min = -128, max = 127>, channels_last} : tensor<1x4x4x2xui8>, tensor<2x3x3x2xsi8> -> tensor<1x4x4x2xsi8> loc("Conv_0")
// CHECK-NEXT:    %mul_1 = graph.constant dense<[3, 4]> : tensor<2xsi32> loc("RequantShift_4")
// CHECK-NEXT:    %2 = graph.add %1, %0 mul %mul_1 : tensor<2xsi32> {rhs_requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>, requant = #graph.requant<mul = 1, add = 16, shift = 5, min = -128, max = 127>} : tensor<1x4x4x2xsi8>, tensor<1x4x4x2xui8> -> tensor<1x4x4x2xsi8> loc("Add_3")
// CHECK-NEXT:    %3 = graph.max_pool %2 {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, kernel = array<i64: 2, 2>, channels_last} : tensor<1x4x4x2xsi8> -> tensor<1x2x2x2xsi8> loc("MaxPool_5")
// CHECK-NEXT:    %4 = graph.reshape %3 : tensor<1x2x2x2xsi8> -> tensor<1x8xsi8> loc("Flatten_6")
// CHECK-NEXT:    %v = graph.constant dense_resource<v> : tensor<3x8xsi8> loc("Gemm_7")
// CHECK-NEXT:    %5 = graph.matmul %4, %v {transpose_rhs, requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<1x8xsi8>, tensor<3x8xsi8> -> tensor<1x3xsi8> loc("Gemm_7")
// CHECK-NEXT:    func.return %5 : tensor<1x3xsi8> loc(unknown)
