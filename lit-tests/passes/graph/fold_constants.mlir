// RUN: deeploy-opt %s -p fold-constants | filecheck %s

// Chains of ops on constants are computed; what is then unused disappears.

func.func @chain() -> tensor<2xsi32> {
  %a = graph.constant dense<[[1, 2]]> : tensor<1x2xsi8>
  %b = graph.constant dense<10> : tensor<si32>
  %0 = graph.reshape %a : tensor<1x2xsi8> -> tensor<2xsi8>
  %1 = graph.mul %0, %b : tensor<2xsi8>, tensor<si32> -> tensor<2xsi32>
  func.return %1 : tensor<2xsi32>
}

// CHECK-LABEL: func.func @chain() -> tensor<2xsi32> {
// CHECK-NEXT:    %0 = graph.constant dense<[10, 20]> : tensor<2xsi32>
// CHECK-NEXT:    func.return %0 : tensor<2xsi32>
// CHECK-NEXT:  }

// A transposed weight is transposed at compile time.

func.func @weight(%x: tensor<1x2xsi8>) -> tensor<1x3xsi32> {
  %w = graph.constant dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xsi8>
  %0 = graph.transpose %w {permutation = array<i64: 1, 0>} : tensor<3x2xsi8> -> tensor<2x3xsi8>
  %1 = graph.matmul %x, %0 : tensor<1x2xsi8>, tensor<2x3xsi8> -> tensor<1x3xsi32>
  func.return %1 : tensor<1x3xsi32>
}

// CHECK-LABEL: func.func @weight(%x: tensor<1x2xsi8>) -> tensor<1x3xsi32> {
// CHECK-NEXT:    %0 = graph.constant dense<[[1, 3, 5], [2, 4, 6]]> : tensor<2x3xsi8>
// CHECK-NEXT:    %1 = graph.matmul %x, %0 : tensor<1x2xsi8>, tensor<2x3xsi8> -> tensor<1x3xsi32>
// CHECK-NEXT:    func.return %1 : tensor<1x3xsi32>
// CHECK-NEXT:  }

// One operand that is not constant: left alone.

func.func @variable(%x: tensor<2xsi32>) -> tensor<2xsi32> {
  %a = graph.constant dense<[1, 2]> : tensor<2xsi32>
  %0 = graph.add %x, %a : tensor<2xsi32>, tensor<2xsi32> -> tensor<2xsi32>
  func.return %0 : tensor<2xsi32>
}

// CHECK-LABEL: func.func @variable(%x: tensor<2xsi32>) -> tensor<2xsi32> {
// CHECK-NEXT:    %a = graph.constant dense<[1, 2]> : tensor<2xsi32>
// CHECK-NEXT:    %0 = graph.add %x, %a : tensor<2xsi32>, tensor<2xsi32> -> tensor<2xsi32>
// CHECK-NEXT:    func.return %0 : tensor<2xsi32>
// CHECK-NEXT:  }
