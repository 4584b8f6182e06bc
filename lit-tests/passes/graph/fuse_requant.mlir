// RUN: deeploy-opt %s -p fuse-requant | filecheck %s

// Bias, requantisation and Relu of a linear layer: (x + b) * m + 16 = x * m + (b * m + 16).

func.func @linear(%x: tensor<2x4xsi8>, %w: tensor<4x3xsi8>) -> tensor<2x3xui8> {
  %b = graph.constant dense<[10, -20, 30]> : tensor<3xsi32>
  %0 = graph.matmul %x, %w : tensor<2x4xsi8>, tensor<4x3xsi8> -> tensor<2x3xsi32>
  %1 = graph.add %0, %b : tensor<2x3xsi32>, tensor<3xsi32> -> tensor<2x3xsi32>
  %2 = graph.requant %1 {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<2x3xsi32> -> tensor<2x3xsi8>
  %3 = graph.clip %2 {min = 0, max = 127} : tensor<2x3xsi8> -> tensor<2x3xui8>
  func.return %3 : tensor<2x3xui8>
}

// CHECK-LABEL: func.func @linear(%x: tensor<2x4xsi8>, %w: tensor<4x3xsi8>) -> tensor<2x3xui8> {
// CHECK-NEXT:    %add = graph.constant dense<[66, -84, 166]> : tensor<3xsi32>
// CHECK-NEXT:    %0 = graph.matmul %x, %w add %add : tensor<3xsi32> {requant = #graph.requant<mul = 5, add = 0, shift = 5, min = 0, max = 127>} : tensor<2x4xsi8>, tensor<4x3xsi8> -> tensor<2x3xui8>
// CHECK-NEXT:    func.return %0 : tensor<2x3xui8>
// CHECK-NEXT:  }

// Factors per channel: of shape [C, 1, 1] for an image with channels first.

func.func @conv(%x: tensor<1x3x4x4xsi8>, %w: tensor<2x3x3x3xsi8>) -> tensor<1x2x4x4xsi8> {
  %m = graph.constant dense<[[[3]], [[4]]]> : tensor<2x1x1xsi32>
  %0 = graph.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 1} : tensor<1x3x4x4xsi8>, tensor<2x3x3x3xsi8> -> tensor<1x2x4x4xsi32>
  %1 = graph.requant %0 mul %m : tensor<2x1x1xsi32> {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<1x2x4x4xsi32> -> tensor<1x2x4x4xsi8>
  func.return %1 : tensor<1x2x4x4xsi8>
}

// CHECK-LABEL: func.func @conv(%x: tensor<1x3x4x4xsi8>, %w: tensor<2x3x3x3xsi8>) -> tensor<1x2x4x4xsi8> {
// CHECK-NEXT:    %mul = graph.constant dense<[3, 4]> : tensor<2xsi32>
// CHECK-NEXT:    %0 = graph.conv %x, %w mul %mul : tensor<2xsi32> {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, requant = #graph.requant<mul = 1, add = 16, shift = 5, min = -128, max = 127>} : tensor<1x3x4x4xsi8>, tensor<2x3x3x3xsi8> -> tensor<1x2x4x4xsi8>
// CHECK-NEXT:    func.return %0 : tensor<1x2x4x4xsi8>
// CHECK-NEXT:  }

// A bias per channel and factors that are numbers, channels first, in front of a residual: the sum
// of products is requantised in the convolution, (x + b) * 5 + 16 = x * 5 + (b * 5 + 16).

func.func @bias_and_residual(%x: tensor<1x3x4x4xsi8>, %w: tensor<2x3x1x1xsi8>, %y: tensor<1x2x4x4xsi8>) -> tensor<1x2x4x4xsi32> {
  %b = graph.constant dense<[10, -20]> : tensor<2xsi32>
  %0 = graph.conv %x, %w add %b : tensor<2xsi32> {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 1, requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -2147483648, max = 2147483647>} : tensor<1x3x4x4xsi8>, tensor<2x3x1x1xsi8> -> tensor<1x2x4x4xsi32>
  %1 = graph.requant %0 {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<1x2x4x4xsi32> -> tensor<1x2x4x4xsi8>
  %2 = graph.add %y, %1 : tensor<1x2x4x4xsi8>, tensor<1x2x4x4xsi8> -> tensor<1x2x4x4xsi32>
  func.return %2 : tensor<1x2x4x4xsi32>
}

// CHECK-LABEL: func.func @bias_and_residual
// CHECK-NEXT:    %add = graph.constant dense<[66, -84]> : tensor<2xsi32>
// CHECK-NEXT:    %0 = graph.conv %x, %w add %add : tensor<2xsi32> {{.*}} requant = #graph.requant<mul = 5, add = 0, shift = 5, min = -128, max = 127>} : tensor<1x3x4x4xsi8>, tensor<2x3x1x1xsi8> -> tensor<1x2x4x4xsi8>
// CHECK-NEXT:    %1 = graph.add %y, %0 : tensor<1x2x4x4xsi8>, tensor<1x2x4x4xsi8> -> tensor<1x2x4x4xsi32>
// CHECK-NEXT:    func.return %1 : tensor<1x2x4x4xsi32>
// CHECK-NEXT:  }

// A residual: requantised as it is read, and the sum as it is written.

func.func @residual(%x: tensor<4xui8>, %y: tensor<4xsi8>) -> tensor<4xui8> {
  %0 = graph.requant %x {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<4xui8> -> tensor<4xsi8>
  %1 = graph.add %0, %y : tensor<4xsi8>, tensor<4xsi8> -> tensor<4xsi32>
  %2 = graph.requant %1 {requant = #graph.requant<mul = 2, add = 0, shift = 0, min = 0, max = 255>} : tensor<4xsi32> -> tensor<4xui8>
  func.return %2 : tensor<4xui8>
}

// CHECK-LABEL: func.func @residual(%x: tensor<4xui8>, %y: tensor<4xsi8>) -> tensor<4xui8> {
// CHECK-NEXT:    %0 = graph.add %x, %y {requant = #graph.requant<mul = 2, add = 0, shift = 0, min = 0, max = 255>, lhs_requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<4xui8>, tensor<4xsi8> -> tensor<4xui8>
// CHECK-NEXT:    func.return %0 : tensor<4xui8>
// CHECK-NEXT:  }

// A product with a constant and a requantisation are one requantisation.

func.func @product(%x: tensor<2x2xsi8>) -> tensor<2x2xsi8> {
  %c = graph.constant dense<[2, 3]> : tensor<2xsi8>
  %0 = graph.mul %x, %c : tensor<2x2xsi8>, tensor<2xsi8> -> tensor<2x2xsi32>
  %1 = graph.requant %0 {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<2x2xsi32> -> tensor<2x2xsi8>
  func.return %1 : tensor<2x2xsi8>
}

// CHECK-LABEL: func.func @product(%x: tensor<2x2xsi8>) -> tensor<2x2xsi8> {
// CHECK-NEXT:    %mul = graph.constant dense<[10, 15]> : tensor<2xsi32>
// CHECK-NEXT:    %0 = graph.requant %x mul %mul : tensor<2xsi32> {requant = #graph.requant<mul = 1, add = 16, shift = 5, min = -128, max = 127>} : tensor<2x2xsi8> -> tensor<2x2xsi8>
// CHECK-NEXT:    func.return %0 : tensor<2x2xsi8>
// CHECK-NEXT:  }

// The accumulator has another use: left alone.

func.func @two_uses(%x: tensor<2x4xsi8>, %w: tensor<4x3xsi8>) -> (tensor<2x3xsi32>, tensor<2x3xsi8>) {
  %0 = graph.matmul %x, %w : tensor<2x4xsi8>, tensor<4x3xsi8> -> tensor<2x3xsi32>
  %1 = graph.requant %0 {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<2x3xsi32> -> tensor<2x3xsi8>
  func.return %0, %1 : tensor<2x3xsi32>, tensor<2x3xsi8>
}

// CHECK-LABEL: func.func @two_uses(%x: tensor<2x4xsi8>, %w: tensor<4x3xsi8>) -> (tensor<2x3xsi32>, tensor<2x3xsi8>) {
// CHECK-NEXT:    %0 = graph.matmul %x, %w : tensor<2x4xsi8>, tensor<4x3xsi8> -> tensor<2x3xsi32>
// CHECK-NEXT:    %1 = graph.requant %0 {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<2x3xsi32> -> tensor<2x3xsi8>
// CHECK-NEXT:    func.return %0, %1 : tensor<2x3xsi32>, tensor<2x3xsi8>
// CHECK-NEXT:  }

// The first requantisation clamps, the factors are per row: left alone.

func.func @not_exact(%x: tensor<2x4xsi8>, %w: tensor<4x3xsi8>) -> (tensor<2x3xsi8>, tensor<2x3xsi8>) {
  %m = graph.constant dense<[[3], [4]]> : tensor<2x1xsi32>
  %0 = graph.matmul %x, %w {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<2x4xsi8>, tensor<4x3xsi8> -> tensor<2x3xsi8>
  %1 = graph.requant %0 {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<2x3xsi8> -> tensor<2x3xsi8>
  %2 = graph.matmul %x, %w : tensor<2x4xsi8>, tensor<4x3xsi8> -> tensor<2x3xsi32>
  %3 = graph.requant %2 mul %m : tensor<2x1xsi32> {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<2x3xsi32> -> tensor<2x3xsi8>
  func.return %1, %3 : tensor<2x3xsi8>, tensor<2x3xsi8>
}

// CHECK-LABEL: func.func @not_exact(%x: tensor<2x4xsi8>, %w: tensor<4x3xsi8>) -> (tensor<2x3xsi8>, tensor<2x3xsi8>) {
// CHECK-NEXT:    %m = graph.constant dense<[[3], [4]]> : tensor<2x1xsi32>
// CHECK-NEXT:    %0 = graph.matmul %x, %w {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<2x4xsi8>, tensor<4x3xsi8> -> tensor<2x3xsi8>
// CHECK-NEXT:    %1 = graph.requant %0 {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<2x3xsi8> -> tensor<2x3xsi8>
// CHECK-NEXT:    %2 = graph.matmul %x, %w : tensor<2x4xsi8>, tensor<4x3xsi8> -> tensor<2x3xsi32>
// CHECK-NEXT:    %3 = graph.requant %2 mul %m : tensor<2x1xsi32> {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<2x3xsi32> -> tensor<2x3xsi8>
// CHECK-NEXT:    func.return %1, %3 : tensor<2x3xsi8>, tensor<2x3xsi8>
// CHECK-NEXT:  }

// The mask is added to every row: it is requantised once, not again for each.

func.func @broadcast(%x: tensor<8x4xsi8>, %mask: tensor<4xsi8>) -> tensor<8x4xsi8> {
  %0 = graph.requant %mask {requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<4xsi8> -> tensor<4xsi8>
  %1 = graph.add %x, %0 {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<8x4xsi8>, tensor<4xsi8> -> tensor<8x4xsi8>
  func.return %1 : tensor<8x4xsi8>
}

// CHECK-LABEL: func.func @broadcast
// CHECK-NEXT:    %0 = graph.requant %mask
// CHECK-NEXT:    %1 = graph.add %x, %0 {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<8x4xsi8>, tensor<4xsi8> -> tensor<8x4xsi8>
