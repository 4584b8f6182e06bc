// RUN: deeploy-opt %s -p 'set-target{target=host},place' | filecheck %s

// Every op gets an engine; constants and reshapes are nobody's work.

func.func @network(%x: tensor<4x6xsi8>) -> tensor<12xsi8> {
  %w = graph.constant dense<1> : tensor<3x6xsi8>
  %y = graph.matmul %x, %w {transpose_rhs, requant = #graph.requant<mul = 1, add = 0, shift = 4, min = -128, max = 127>} : tensor<4x6xsi8>, tensor<3x6xsi8> -> tensor<4x3xsi8>
  %z = graph.reshape %y : tensor<4x3xsi8> -> tensor<12xsi8>
  func.return %z : tensor<12xsi8>
}

// CHECK:      %w = graph.constant dense<1> : tensor<3x6xsi8>
// CHECK-NEXT: %y = graph.matmul %x, %w {engine = "cluster", transpose_rhs, requant =
// CHECK-NEXT: %z = graph.reshape %y : tensor<4x3xsi8> -> tensor<12xsi8>
