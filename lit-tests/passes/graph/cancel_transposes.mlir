// RUN: deeploy-opt %s -p cancel-transposes | filecheck %s

// A transpose sinks through a requantisation, whose factors are moved, and meets its inverse.

func.func @requant(%x: tensor<1x4x4x2xsi32>) -> tensor<1x4x4x2xsi8> {
  %m = graph.constant dense<[[[3]], [[4]]]> : tensor<2x1x1xsi32>
  %0 = graph.transpose %x {permutation = array<i64: 0, 3, 1, 2>} : tensor<1x4x4x2xsi32> -> tensor<1x2x4x4xsi32>
  %1 = graph.requant %0 mul %m : tensor<2x1x1xsi32> {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<1x2x4x4xsi32> -> tensor<1x2x4x4xsi8>
  %2 = graph.transpose %1 {permutation = array<i64: 0, 2, 3, 1>} : tensor<1x2x4x4xsi8> -> tensor<1x4x4x2xsi8>
  func.return %2 : tensor<1x4x4x2xsi8>
}

// CHECK-LABEL: func.func @requant(%x: tensor<1x4x4x2xsi32>) -> tensor<1x4x4x2xsi8> {
// CHECK-NEXT:    %m = graph.constant dense<[3, 4]> : tensor<2xsi32>
// CHECK-NEXT:    %0 = graph.requant %x mul %m : tensor<2xsi32> {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<1x4x4x2xsi32> -> tensor<1x4x4x2xsi8>
// CHECK-NEXT:    func.return %0 : tensor<1x4x4x2xsi8>
// CHECK-NEXT:  }

// Two transposed operands, and one that is transposed elsewhere anyway.

func.func @sums(%x: tensor<1x4x4x2xsi8>, %y: tensor<1x4x4x2xsi8>, %z: tensor<1x2x4x4xsi8>) -> (tensor<1x2x4x4xsi32>, tensor<1x4x4x2xsi8>) {
  %0 = graph.transpose %x {permutation = array<i64: 0, 3, 1, 2>} : tensor<1x4x4x2xsi8> -> tensor<1x2x4x4xsi8>
  %1 = graph.transpose %y {permutation = array<i64: 0, 3, 1, 2>} : tensor<1x4x4x2xsi8> -> tensor<1x2x4x4xsi8>
  %2 = graph.transpose %z {permutation = array<i64: 0, 2, 3, 1>} : tensor<1x2x4x4xsi8> -> tensor<1x4x4x2xsi8>
  %3 = graph.add %0, %1 : tensor<1x2x4x4xsi8>, tensor<1x2x4x4xsi8> -> tensor<1x2x4x4xsi32>
  %4 = graph.sub %z, %3 : tensor<1x2x4x4xsi8>, tensor<1x2x4x4xsi32> -> tensor<1x2x4x4xsi32>
  func.return %4, %2 : tensor<1x2x4x4xsi32>, tensor<1x4x4x2xsi8>
}

// CHECK-LABEL: func.func @sums(%x: tensor<1x4x4x2xsi8>, %y: tensor<1x4x4x2xsi8>, %z: tensor<1x2x4x4xsi8>) -> (tensor<1x2x4x4xsi32>, tensor<1x4x4x2xsi8>) {
// CHECK-NEXT:    %0 = graph.transpose %z {permutation = array<i64: 0, 2, 3, 1>} : tensor<1x2x4x4xsi8> -> tensor<1x4x4x2xsi8>
// CHECK-NEXT:    %1 = graph.add %x, %y : tensor<1x4x4x2xsi8>, tensor<1x4x4x2xsi8> -> tensor<1x4x4x2xsi32>
// CHECK-NEXT:    %2 = graph.sub %0, %1 : tensor<1x4x4x2xsi8>, tensor<1x4x4x2xsi32> -> tensor<1x4x4x2xsi32>
// CHECK-NEXT:    %3 = graph.transpose %2 {permutation = array<i64: 0, 3, 1, 2>} : tensor<1x4x4x2xsi32> -> tensor<1x2x4x4xsi32>
// CHECK-NEXT:    func.return %3, %0 : tensor<1x2x4x4xsi32>, tensor<1x4x4x2xsi8>
// CHECK-NEXT:  }

// Attributes of movements are permuted.

func.func @movements(%x: tensor<1x4x6x2xsi8>) -> tensor<1x5x3x4xsi8> {
  %0 = graph.transpose %x {permutation = array<i64: 0, 3, 1, 2>} : tensor<1x4x6x2xsi8> -> tensor<1x2x4x6xsi8>
  %1 = graph.pad %0 {low = array<i64: 0, 1, 0, 0>, high = array<i64: 0, 2, 0, 0>, value = 0} : tensor<1x2x4x6xsi8> -> tensor<1x5x4x6xsi8>
  %2 = graph.slice %1 {starts = array<i64: 0, 0, 0, 1>, steps = array<i64: 1, 1, 1, 2>} : tensor<1x5x4x6xsi8> -> tensor<1x5x4x3xsi8>
  %3 = graph.transpose %2 {permutation = array<i64: 0, 1, 3, 2>} : tensor<1x5x4x3xsi8> -> tensor<1x5x3x4xsi8>
  func.return %3 : tensor<1x5x3x4xsi8>
}

// CHECK-LABEL: func.func @movements(%x: tensor<1x4x6x2xsi8>) -> tensor<1x5x3x4xsi8> {
// CHECK-NEXT:    %0 = graph.pad %x {low = array<i64: 0, 0, 0, 1>, high = array<i64: 0, 0, 0, 2>, value = 0 : i64} : tensor<1x4x6x2xsi8> -> tensor<1x4x6x5xsi8>
// CHECK-NEXT:    %1 = graph.slice %0 {starts = array<i64: 0, 0, 1, 0>, steps = array<i64: 1, 1, 2, 1>} : tensor<1x4x6x5xsi8> -> tensor<1x4x3x5xsi8>
// CHECK-NEXT:    %2 = graph.transpose %1 {permutation = array<i64: 0, 3, 2, 1>} : tensor<1x4x3x5xsi8> -> tensor<1x5x3x4xsi8>
// CHECK-NEXT:    func.return %2 : tensor<1x5x3x4xsi8>
// CHECK-NEXT:  }

// A flattened image in front of a linear layer: the columns of the weights are permuted instead.

func.func @flatten(%x: tensor<1x1x2x2xsi8>) -> tensor<1x1xsi32> {
  %w = graph.constant dense<[[1, 2, 3, 4]]> : tensor<1x4xsi8>
  %0 = graph.transpose %x {permutation = array<i64: 0, 3, 1, 2>} : tensor<1x1x2x2xsi8> -> tensor<1x2x1x2xsi8>
  %1 = graph.reshape %0 : tensor<1x2x1x2xsi8> -> tensor<1x4xsi8>
  %2 = graph.matmul %1, %w {transpose_rhs} : tensor<1x4xsi8>, tensor<1x4xsi8> -> tensor<1x1xsi32>
  func.return %2 : tensor<1x1xsi32>
}

// CHECK-LABEL: func.func @flatten(%x: tensor<1x1x2x2xsi8>) -> tensor<1x1xsi32> {
// CHECK-NEXT:    %0 = graph.reshape %x : tensor<1x1x2x2xsi8> -> tensor<1x4xsi8>
// CHECK-NEXT:    %w = graph.constant dense<[[1, 3, 2, 4]]> : tensor<1x4xsi8>
// CHECK-NEXT:    %1 = graph.matmul %0, %w {transpose_rhs} : tensor<1x4xsi8>, tensor<1x4xsi8> -> tensor<1x1xsi32>
// CHECK-NEXT:    func.return %1 : tensor<1x1xsi32>
// CHECK-NEXT:  }

// A reshape that drops a dimension of extent 1 is no obstacle.

func.func @squeeze(%x: tensor<1x1x5x2xsi8>) -> tensor<1x5x2xsi8> {
  %0 = graph.transpose %x {permutation = array<i64: 0, 3, 1, 2>} : tensor<1x1x5x2xsi8> -> tensor<1x2x1x5xsi8>
  %1 = graph.reshape %0 : tensor<1x2x1x5xsi8> -> tensor<1x2x5xsi8>
  %2 = graph.transpose %1 {permutation = array<i64: 0, 2, 1>} : tensor<1x2x5xsi8> -> tensor<1x5x2xsi8>
  func.return %2 : tensor<1x5x2xsi8>
}

// CHECK-LABEL: func.func @squeeze(%x: tensor<1x1x5x2xsi8>) -> tensor<1x5x2xsi8> {
// CHECK-NEXT:    %0 = graph.reshape %x : tensor<1x1x5x2xsi8> -> tensor<1x5x2xsi8>
// CHECK-NEXT:    func.return %0 : tensor<1x5x2xsi8>
// CHECK-NEXT:  }

// A transposed right-hand side becomes an attribute of the product.

func.func @attention(%q: tensor<2x3x4xsi8>, %k: tensor<2x3x4xsi8>) -> tensor<2x3x3xsi32> {
  %0 = graph.transpose %k {permutation = array<i64: 0, 2, 1>} : tensor<2x3x4xsi8> -> tensor<2x4x3xsi8>
  %1 = graph.matmul %q, %0 : tensor<2x3x4xsi8>, tensor<2x4x3xsi8> -> tensor<2x3x3xsi32>
  func.return %1 : tensor<2x3x3xsi32>
}

// CHECK-LABEL: func.func @attention(%q: tensor<2x3x4xsi8>, %k: tensor<2x3x4xsi8>) -> tensor<2x3x3xsi32> {
// CHECK-NEXT:    %0 = graph.matmul %q, %k {transpose_rhs} : tensor<2x3x4xsi8>, tensor<2x3x4xsi8> -> tensor<2x3x3xsi32>
// CHECK-NEXT:    func.return %0 : tensor<2x3x3xsi32>
// CHECK-NEXT:  }

// Only one operand is transposed: left alone, since the other one would have to be instead.

func.func @one_operand(%x: tensor<1x4x4x2xsi8>, %y: tensor<1x2x4x4xsi8>) -> tensor<1x2x4x4xsi32> {
  %0 = graph.transpose %x {permutation = array<i64: 0, 3, 1, 2>} : tensor<1x4x4x2xsi8> -> tensor<1x2x4x4xsi8>
  %1 = graph.add %0, %y : tensor<1x2x4x4xsi8>, tensor<1x2x4x4xsi8> -> tensor<1x2x4x4xsi32>
  func.return %1 : tensor<1x2x4x4xsi32>
}

// CHECK-LABEL: func.func @one_operand(%x: tensor<1x4x4x2xsi8>, %y: tensor<1x2x4x4xsi8>) -> tensor<1x2x4x4xsi32> {
// CHECK-NEXT:    %0 = graph.transpose %x {permutation = array<i64: 0, 3, 1, 2>} : tensor<1x4x4x2xsi8> -> tensor<1x2x4x4xsi8>
// CHECK-NEXT:    %1 = graph.add %0, %y : tensor<1x2x4x4xsi8>, tensor<1x2x4x4xsi8> -> tensor<1x2x4x4xsi32>
// CHECK-NEXT:    func.return %1 : tensor<1x2x4x4xsi32>
// CHECK-NEXT:  }

// Keys, transposed and split into heads: the product takes the transposed matrices, and the heads
// remain.

func.func @keys(%q: tensor<4x6x8xsi8>, %k: tensor<6x4x8xsi8>) -> tensor<4x6x6xsi32> {
  %0 = graph.transpose %k {permutation = array<i64: 1, 2, 0>} : tensor<6x4x8xsi8> -> tensor<4x8x6xsi8>
  %1 = graph.matmul %q, %0 : tensor<4x6x8xsi8>, tensor<4x8x6xsi8> -> tensor<4x6x6xsi32>
  func.return %1 : tensor<4x6x6xsi32>
}

// CHECK-LABEL: func.func @keys(%q: tensor<4x6x8xsi8>, %k: tensor<6x4x8xsi8>) -> tensor<4x6x6xsi32> {
// CHECK-NEXT:    %0 = graph.transpose %k {permutation = array<i64: 1, 0, 2>} : tensor<6x4x8xsi8> -> tensor<4x6x8xsi8>
// CHECK-NEXT:    %1 = graph.matmul %q, %0 {transpose_rhs} : tensor<4x6x8xsi8>, tensor<4x6x8xsi8> -> tensor<4x6x6xsi32>
// CHECK-NEXT:    func.return %1 : tensor<4x6x6xsi32>
// CHECK-NEXT:  }

// They are a result too: one transpose serves both.

func.func @returned_keys(%q: tensor<4x6x8xsi8>, %k: tensor<6x4x8xsi8>) -> (tensor<4x6x6xsi32>, tensor<4x8x6xsi8>) {
  %0 = graph.transpose %k {permutation = array<i64: 1, 2, 0>} : tensor<6x4x8xsi8> -> tensor<4x8x6xsi8>
  %1 = graph.matmul %q, %0 : tensor<4x6x8xsi8>, tensor<4x8x6xsi8> -> tensor<4x6x6xsi32>
  func.return %1, %0 : tensor<4x6x6xsi32>, tensor<4x8x6xsi8>
}

// CHECK-LABEL: func.func @returned_keys
// CHECK-NEXT:    %0 = graph.transpose %k {permutation = array<i64: 1, 2, 0>} : tensor<6x4x8xsi8> -> tensor<4x8x6xsi8>
// CHECK-NEXT:    %1 = graph.matmul %q, %0 : tensor<4x6x8xsi8>, tensor<4x8x6xsi8> -> tensor<4x6x6xsi32>
// CHECK-NEXT:    func.return %1, %0 :
