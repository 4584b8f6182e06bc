// RUN: deeploy-opt %s -p max-to-clip --check-semantics | filecheck %s
// RUN: deeploy-opt %s -p max-to-clip,fuse-requant --check-semantics | filecheck %s --check-prefix=FUSED

// A maximum with 3 is a clip, and becomes part of the op before it.

func.func @one_number(%x: tensor<1x4xsi8>, %w: tensor<4x4xsi8>) -> tensor<1x4xsi32> {
  %0 = graph.matmul %x, %w : tensor<1x4xsi8>, tensor<4x4xsi8> -> tensor<1x4xsi32>
  %c = graph.constant dense<3> : tensor<4xsi8>
  %1 = graph.max %0, %c : tensor<1x4xsi32>, tensor<4xsi8> -> tensor<1x4xsi32> loc("Max_1")
  func.return %1 : tensor<1x4xsi32>
}

// CHECK-LABEL: func.func @one_number
// CHECK-NEXT:    %0 = graph.matmul
// CHECK-NEXT:    %1 = graph.clip %0 {min = 3 : i64, max = 2147483647 : i64}
// CHECK-NEXT:    func.return %1

// FUSED-LABEL: func.func @one_number
// FUSED-NEXT:    %0 = graph.matmul %x, %w {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = 3, max = 2147483647>}
// FUSED-NEXT:    func.return %0

// Two numbers are no clip.

func.func @two_numbers(%x: tensor<2xsi8>) -> tensor<2xsi8> {
  %c = graph.constant dense<[3, 4]> : tensor<2xsi8>
  %0 = graph.min %x, %c : tensor<2xsi8>, tensor<2xsi8> -> tensor<2xsi8>
  func.return %0 : tensor<2xsi8>
}

// CHECK-LABEL: func.func @two_numbers
// CHECK:         %0 = graph.min %x, %c
