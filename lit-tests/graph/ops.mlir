// RUN: %roundtrip
// RUN: %generic_roundtrip

// Every op of the graph dialect, in its custom and in its generic syntax.

func.func @conv(%x: tensor<2x3x9x7xsi8>, %w: tensor<4x3x3x2xsi8>) -> tensor<2x4x5x7xsi32> {
  %0 = graph.conv %x, %w {strides = array<i64: 2, 1>, pads = array<i64: 1, 0, 2, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64} : tensor<2x3x9x7xsi8>, tensor<4x3x3x2xsi8> -> tensor<2x4x5x7xsi32>
  func.return %0 : tensor<2x4x5x7xsi32>
}

// CHECK-LABEL: func.func @conv(%x: tensor<2x3x9x7xsi8>, %w: tensor<4x3x3x2xsi8>) -> tensor<2x4x5x7xsi32> {
// CHECK-NEXT:    %0 = graph.conv %x, %w {strides = array<i64: 2, 1>, pads = array<i64: 1, 0, 2, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64} : tensor<2x3x9x7xsi8>, tensor<4x3x3x2xsi8> -> tensor<2x4x5x7xsi32>

func.func @conv_requant(%x: tensor<1x4x8x8xui8>, %w: tensor<6x2x3x3xsi8>, %m: tensor<6xsi32>) -> tensor<1x6x8x8xsi8> {
  %0 = graph.conv %x, %w mul %m : tensor<6xsi32> {strides = array<i64: 1, 1>, pads = array<i64: 2, 2, 2, 2>, dilations = array<i64: 2, 2>, groups = 2 : i64, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<1x4x8x8xui8>, tensor<6x2x3x3xsi8> -> tensor<1x6x8x8xsi8>
  func.return %0 : tensor<1x6x8x8xsi8>
}

// CHECK-LABEL: func.func @conv_requant(%x: tensor<1x4x8x8xui8>, %w: tensor<6x2x3x3xsi8>, %m: tensor<6xsi32>) -> tensor<1x6x8x8xsi8> {
// CHECK-NEXT:    %0 = graph.conv %x, %w mul %m : tensor<6xsi32> {strides = array<i64: 1, 1>, pads = array<i64: 2, 2, 2, 2>, dilations = array<i64: 2, 2>, groups = 2 : i64, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<1x4x8x8xui8>, tensor<6x2x3x3xsi8> -> tensor<1x6x8x8xsi8>

func.func @conv_channels_last(%x: tensor<1x7x9x6xsi8>, %w: tensor<9x3x3x2xsi8>, %a: tensor<9xsi32>) -> tensor<1x3x5x9xsi8> {
  %0 = graph.conv %x, %w add %a : tensor<9xsi32> {strides = array<i64: 3, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 3 : i64, channels_last, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<1x7x9x6xsi8>, tensor<9x3x3x2xsi8> -> tensor<1x3x5x9xsi8>
  func.return %0 : tensor<1x3x5x9xsi8>
}

// CHECK-LABEL: func.func @conv_channels_last(%x: tensor<1x7x9x6xsi8>, %w: tensor<9x3x3x2xsi8>, %a: tensor<9xsi32>) -> tensor<1x3x5x9xsi8> {
// CHECK-NEXT:    %0 = graph.conv %x, %w add %a : tensor<9xsi32> {strides = array<i64: 3, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 3 : i64, channels_last, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<1x7x9x6xsi8>, tensor<9x3x3x2xsi8> -> tensor<1x3x5x9xsi8>

func.func @conv_pointwise(%x: tensor<1x7x5x6xsi8>, %w: tensor<8x1x1x6xsi8>) -> tensor<1x4x3x8xsi32> {
  %0 = graph.conv %x, %w {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 1 : i64, channels_last} : tensor<1x7x5x6xsi8>, tensor<8x1x1x6xsi8> -> tensor<1x4x3x8xsi32>
  func.return %0 : tensor<1x4x3x8xsi32>
}

// CHECK-LABEL: func.func @conv_pointwise(%x: tensor<1x7x5x6xsi8>, %w: tensor<8x1x1x6xsi8>) -> tensor<1x4x3x8xsi32> {
// CHECK-NEXT:    %0 = graph.conv %x, %w {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 1 : i64, channels_last} : tensor<1x7x5x6xsi8>, tensor<8x1x1x6xsi8> -> tensor<1x4x3x8xsi32>

func.func @conv_wraps(%x: tensor<1x2x4x4xsi32>, %w: tensor<2x2x3x3xsi32>) -> tensor<1x2x4x4xsi32> {
  %0 = graph.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64} : tensor<1x2x4x4xsi32>, tensor<2x2x3x3xsi32> -> tensor<1x2x4x4xsi32>
  func.return %0 : tensor<1x2x4x4xsi32>
}

// CHECK-LABEL: func.func @conv_wraps(%x: tensor<1x2x4x4xsi32>, %w: tensor<2x2x3x3xsi32>) -> tensor<1x2x4x4xsi32> {
// CHECK-NEXT:    %0 = graph.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64} : tensor<1x2x4x4xsi32>, tensor<2x2x3x3xsi32> -> tensor<1x2x4x4xsi32>

func.func @depthwise(%x: tensor<2x8x6x5xsi8>, %w: tensor<3x3x5xsi8>, %m: tensor<5xsi32>, %a: tensor<5xsi32>) -> tensor<2x4x4x5xsi8> {
  %0 = graph.depthwise_conv %x, %w mul %m : tensor<5xsi32> add %a : tensor<5xsi32> {strides = array<i64: 2, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 2>, channels_last, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<2x8x6x5xsi8>, tensor<3x3x5xsi8> -> tensor<2x4x4x5xsi8>
  func.return %0 : tensor<2x4x4x5xsi8>
}

// CHECK-LABEL: func.func @depthwise(%x: tensor<2x8x6x5xsi8>, %w: tensor<3x3x5xsi8>, %m: tensor<5xsi32>, %a: tensor<5xsi32>) -> tensor<2x4x4x5xsi8> {
// CHECK-NEXT:    %0 = graph.depthwise_conv %x, %w mul %m : tensor<5xsi32> add %a : tensor<5xsi32> {strides = array<i64: 2, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 2>, channels_last, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<2x8x6x5xsi8>, tensor<3x3x5xsi8> -> tensor<2x4x4x5xsi8>

func.func @matmul(%x: tensor<5x7xsi8>, %w: tensor<7x4xsi8>) -> tensor<5x4xsi32> {
  %0 = graph.matmul %x, %w : tensor<5x7xsi8>, tensor<7x4xsi8> -> tensor<5x4xsi32>
  func.return %0 : tensor<5x4xsi32>
}

// CHECK-LABEL: func.func @matmul(%x: tensor<5x7xsi8>, %w: tensor<7x4xsi8>) -> tensor<5x4xsi32> {
// CHECK-NEXT:    %0 = graph.matmul %x, %w : tensor<5x7xsi8>, tensor<7x4xsi8> -> tensor<5x4xsi32>

func.func @matmul_batched(%x: tensor<2x1x5x7xsi8>, %w: tensor<3x4x7xsi8>, %m: tensor<4xsi32>) -> tensor<2x3x5x4xsi8> {
  %0 = graph.matmul %x, %w mul %m : tensor<4xsi32> {transpose_rhs, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<2x1x5x7xsi8>, tensor<3x4x7xsi8> -> tensor<2x3x5x4xsi8>
  func.return %0 : tensor<2x3x5x4xsi8>
}

// CHECK-LABEL: func.func @matmul_batched(%x: tensor<2x1x5x7xsi8>, %w: tensor<3x4x7xsi8>, %m: tensor<4xsi32>) -> tensor<2x3x5x4xsi8> {
// CHECK-NEXT:    %0 = graph.matmul %x, %w mul %m : tensor<4xsi32> {transpose_rhs, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<2x1x5x7xsi8>, tensor<3x4x7xsi8> -> tensor<2x3x5x4xsi8>

func.func @matmul_wraps(%x: tensor<3x9xsi32>, %w: tensor<9x2xsi32>) -> tensor<3x2xsi32> {
  %0 = graph.matmul %x, %w : tensor<3x9xsi32>, tensor<9x2xsi32> -> tensor<3x2xsi32>
  func.return %0 : tensor<3x2xsi32>
}

// CHECK-LABEL: func.func @matmul_wraps(%x: tensor<3x9xsi32>, %w: tensor<9x2xsi32>) -> tensor<3x2xsi32> {
// CHECK-NEXT:    %0 = graph.matmul %x, %w : tensor<3x9xsi32>, tensor<9x2xsi32> -> tensor<3x2xsi32>

func.func @matmul_add(%x: tensor<2x5x7xsi8>, %w: tensor<4x7xsi8>, %d: tensor<5x1xui8>) -> tensor<2x5x4xsi8> {
  %0 = graph.matmul_add %x, %w, %d {transpose_rhs, product_requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>, scale = #graph.requant<mul = 3, add = -7, shift = 0, min = -2147483648, max = 2147483647>, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<2x5x7xsi8>, tensor<4x7xsi8>, tensor<5x1xui8> -> tensor<2x5x4xsi8>
  func.return %0 : tensor<2x5x4xsi8>
}

// CHECK-LABEL: func.func @matmul_add(%x: tensor<2x5x7xsi8>, %w: tensor<4x7xsi8>, %d: tensor<5x1xui8>) -> tensor<2x5x4xsi8> {
// CHECK-NEXT:    %0 = graph.matmul_add %x, %w, %d {transpose_rhs, product_requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>, scale = #graph.requant<mul = 3, add = -7, shift = 0, min = -2147483648, max = 2147483647>, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<2x5x7xsi8>, tensor<4x7xsi8>, tensor<5x1xui8> -> tensor<2x5x4xsi8>

func.func @matmul_float(%x: tensor<5x7xf32>, %w: tensor<7x4xf32>) -> tensor<5x4xf32> {
  %0 = graph.matmul %x, %w : tensor<5x7xf32>, tensor<7x4xf32> -> tensor<5x4xf32>
  func.return %0 : tensor<5x4xf32>
}

// CHECK-LABEL: func.func @matmul_float(%x: tensor<5x7xf32>, %w: tensor<7x4xf32>) -> tensor<5x4xf32> {
// CHECK-NEXT:    %0 = graph.matmul %x, %w : tensor<5x7xf32>, tensor<7x4xf32> -> tensor<5x4xf32>

func.func @max_pool(%x: tensor<1x3x9x8xsi8>) -> tensor<1x3x5x4xsi8> {
  %0 = graph.max_pool %x {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, kernel = array<i64: 3, 3>} : tensor<1x3x9x8xsi8> -> tensor<1x3x5x4xsi8>
  func.return %0 : tensor<1x3x5x4xsi8>
}

// CHECK-LABEL: func.func @max_pool(%x: tensor<1x3x9x8xsi8>) -> tensor<1x3x5x4xsi8> {
// CHECK-NEXT:    %0 = graph.max_pool %x {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, kernel = array<i64: 3, 3>} : tensor<1x3x9x8xsi8> -> tensor<1x3x5x4xsi8>

func.func @max_pool_channels_last(%x: tensor<2x6x8x3xui8>) -> tensor<2x5x4x3xui8> {
  %0 = graph.max_pool %x {strides = array<i64: 1, 2>, pads = array<i64: 0, 1, 1, 0>, dilations = array<i64: 2, 1>, kernel = array<i64: 2, 3>, channels_last} : tensor<2x6x8x3xui8> -> tensor<2x5x4x3xui8>
  func.return %0 : tensor<2x5x4x3xui8>
}

// CHECK-LABEL: func.func @max_pool_channels_last(%x: tensor<2x6x8x3xui8>) -> tensor<2x5x4x3xui8> {
// CHECK-NEXT:    %0 = graph.max_pool %x {strides = array<i64: 1, 2>, pads = array<i64: 0, 1, 1, 0>, dilations = array<i64: 2, 1>, kernel = array<i64: 2, 3>, channels_last} : tensor<2x6x8x3xui8> -> tensor<2x5x4x3xui8>

func.func @average_pool(%x: tensor<1x9x8x3xsi8>) -> tensor<1x5x4x3xsi8> {
  %0 = graph.average_pool %x {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, kernel = array<i64: 3, 3>, channels_last} : tensor<1x9x8x3xsi8> -> tensor<1x5x4x3xsi8>
  func.return %0 : tensor<1x5x4x3xsi8>
}

// CHECK-LABEL: func.func @average_pool(%x: tensor<1x9x8x3xsi8>) -> tensor<1x5x4x3xsi8> {
// CHECK-NEXT:    %0 = graph.average_pool %x {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, kernel = array<i64: 3, 3>, channels_last} : tensor<1x9x8x3xsi8> -> tensor<1x5x4x3xsi8>

func.func @average_pool_counts_pads(%x: tensor<1x3x6x6xui8>) -> tensor<1x3x6x6xui8> {
  %0 = graph.average_pool %x {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, kernel = array<i64: 3, 3>, count_include_pad} : tensor<1x3x6x6xui8> -> tensor<1x3x6x6xui8>
  func.return %0 : tensor<1x3x6x6xui8>
}

// CHECK-LABEL: func.func @average_pool_counts_pads(%x: tensor<1x3x6x6xui8>) -> tensor<1x3x6x6xui8> {
// CHECK-NEXT:    %0 = graph.average_pool %x {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, kernel = array<i64: 3, 3>, count_include_pad} : tensor<1x3x6x6xui8> -> tensor<1x3x6x6xui8>

func.func @average_pool_global(%x: tensor<1x3x6x5xsi32>) -> tensor<1x3x1x1xsi32> {
  %0 = graph.average_pool %x {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, kernel = array<i64: 6, 5>} : tensor<1x3x6x5xsi32> -> tensor<1x3x1x1xsi32>
  func.return %0 : tensor<1x3x1x1xsi32>
}

// CHECK-LABEL: func.func @average_pool_global(%x: tensor<1x3x6x5xsi32>) -> tensor<1x3x1x1xsi32> {
// CHECK-NEXT:    %0 = graph.average_pool %x {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, kernel = array<i64: 6, 5>} : tensor<1x3x6x5xsi32> -> tensor<1x3x1x1xsi32>

func.func @add(%x: tensor<2x3x4xsi8>, %y: tensor<2x3x4xui8>) -> tensor<2x3x4xsi8> {
  %0 = graph.add %x, %y {lhs_requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>, rhs_requant = #graph.requant<mul = 3, add = -7, shift = 0, min = -2147483648, max = 2147483647>, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<2x3x4xsi8>, tensor<2x3x4xui8> -> tensor<2x3x4xsi8>
  func.return %0 : tensor<2x3x4xsi8>
}

// CHECK-LABEL: func.func @add(%x: tensor<2x3x4xsi8>, %y: tensor<2x3x4xui8>) -> tensor<2x3x4xsi8> {
// CHECK-NEXT:    %0 = graph.add %x, %y {lhs_requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>, rhs_requant = #graph.requant<mul = 3, add = -7, shift = 0, min = -2147483648, max = 2147483647>, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<2x3x4xsi8>, tensor<2x3x4xui8> -> tensor<2x3x4xsi8>

func.func @add_broadcast(%x: tensor<3x1xsi32>, %y: tensor<2x1x4xsi32>, %m: tensor<4xsi32>) -> tensor<2x3x4xsi8> {
  %0 = graph.add %x, %y mul %m : tensor<4xsi32> {requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<3x1xsi32>, tensor<2x1x4xsi32> -> tensor<2x3x4xsi8>
  func.return %0 : tensor<2x3x4xsi8>
}

// CHECK-LABEL: func.func @add_broadcast(%x: tensor<3x1xsi32>, %y: tensor<2x1x4xsi32>, %m: tensor<4xsi32>) -> tensor<2x3x4xsi8> {
// CHECK-NEXT:    %0 = graph.add %x, %y mul %m : tensor<4xsi32> {requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<3x1xsi32>, tensor<2x1x4xsi32> -> tensor<2x3x4xsi8>

func.func @sub(%x: tensor<5xsi32>, %y: tensor<si32>) -> tensor<5xsi32> {
  %0 = graph.sub %x, %y : tensor<5xsi32>, tensor<si32> -> tensor<5xsi32>
  func.return %0 : tensor<5xsi32>
}

// CHECK-LABEL: func.func @sub(%x: tensor<5xsi32>, %y: tensor<si32>) -> tensor<5xsi32> {
// CHECK-NEXT:    %0 = graph.sub %x, %y : tensor<5xsi32>, tensor<si32> -> tensor<5xsi32>

func.func @mul(%x: tensor<4x5xsi32>, %y: tensor<5xsi32>) -> tensor<4x5xsi32> {
  %0 = graph.mul %x, %y : tensor<4x5xsi32>, tensor<5xsi32> -> tensor<4x5xsi32>
  func.return %0 : tensor<4x5xsi32>
}

// CHECK-LABEL: func.func @mul(%x: tensor<4x5xsi32>, %y: tensor<5xsi32>) -> tensor<4x5xsi32> {
// CHECK-NEXT:    %0 = graph.mul %x, %y : tensor<4x5xsi32>, tensor<5xsi32> -> tensor<4x5xsi32>

func.func @requant(%x: tensor<2x3x4xsi32>, %m: tensor<3x1xsi32>, %a: tensor<si32>) -> tensor<2x3x4xsi8> {
  %0 = graph.requant %x mul %m : tensor<3x1xsi32> add %a : tensor<si32> {requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<2x3x4xsi32> -> tensor<2x3x4xsi8>
  func.return %0 : tensor<2x3x4xsi8>
}

// CHECK-LABEL: func.func @requant(%x: tensor<2x3x4xsi32>, %m: tensor<3x1xsi32>, %a: tensor<si32>) -> tensor<2x3x4xsi8> {
// CHECK-NEXT:    %0 = graph.requant %x mul %m : tensor<3x1xsi32> add %a : tensor<si32> {requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<2x3x4xsi32> -> tensor<2x3x4xsi8>

func.func @requant_numbers(%x: tensor<7xsi32>) -> tensor<7xui8> {
  %0 = graph.requant %x {requant = #graph.requant<mul = 12345, add = -9, shift = 31, min = 0, max = 255>} : tensor<7xsi32> -> tensor<7xui8>
  func.return %0 : tensor<7xui8>
}

// CHECK-LABEL: func.func @requant_numbers(%x: tensor<7xsi32>) -> tensor<7xui8> {
// CHECK-NEXT:    %0 = graph.requant %x {requant = #graph.requant<mul = 12345, add = -9, shift = 31, min = 0, max = 255>} : tensor<7xsi32> -> tensor<7xui8>

func.func @clip(%x: tensor<3x4xsi32>) -> tensor<3x4xui8> {
  %0 = graph.clip %x {min = 0 : i64, max = 200 : i64} : tensor<3x4xsi32> -> tensor<3x4xui8>
  func.return %0 : tensor<3x4xui8>
}

// CHECK-LABEL: func.func @clip(%x: tensor<3x4xsi32>) -> tensor<3x4xui8> {
// CHECK-NEXT:    %0 = graph.clip %x {min = 0 : i64, max = 200 : i64} : tensor<3x4xsi32> -> tensor<3x4xui8>

func.func @transpose(%x: tensor<2x3x4xsi8>) -> tensor<4x2x3xsi8> {
  %0 = graph.transpose %x {permutation = array<i64: 2, 0, 1>} : tensor<2x3x4xsi8> -> tensor<4x2x3xsi8>
  func.return %0 : tensor<4x2x3xsi8>
}

// CHECK-LABEL: func.func @transpose(%x: tensor<2x3x4xsi8>) -> tensor<4x2x3xsi8> {
// CHECK-NEXT:    %0 = graph.transpose %x {permutation = array<i64: 2, 0, 1>} : tensor<2x3x4xsi8> -> tensor<4x2x3xsi8>

func.func @slice(%x: tensor<9x10xsi8>) -> tensor<3x5xsi8> {
  %0 = graph.slice %x {starts = array<i64: 1, 0>, steps = array<i64: 3, 2>} : tensor<9x10xsi8> -> tensor<3x5xsi8>
  func.return %0 : tensor<3x5xsi8>
}

// CHECK-LABEL: func.func @slice(%x: tensor<9x10xsi8>) -> tensor<3x5xsi8> {
// CHECK-NEXT:    %0 = graph.slice %x {starts = array<i64: 1, 0>, steps = array<i64: 3, 2>} : tensor<9x10xsi8> -> tensor<3x5xsi8>

func.func @pad(%x: tensor<3x4xsi8>) -> tensor<6x7xsi8> {
  %0 = graph.pad %x {low = array<i64: 1, 0>, high = array<i64: 2, 3>, value = -5 : i64} : tensor<3x4xsi8> -> tensor<6x7xsi8>
  func.return %0 : tensor<6x7xsi8>
}

// CHECK-LABEL: func.func @pad(%x: tensor<3x4xsi8>) -> tensor<6x7xsi8> {
// CHECK-NEXT:    %0 = graph.pad %x {low = array<i64: 1, 0>, high = array<i64: 2, 3>, value = -5 : i64} : tensor<3x4xsi8> -> tensor<6x7xsi8>

func.func @copy(%x: tensor<3x4xsi8>) -> tensor<3x4xsi8> {
  %0 = graph.copy %x : tensor<3x4xsi8> -> tensor<3x4xsi8>
  func.return %0 : tensor<3x4xsi8>
}

// CHECK-LABEL: func.func @copy(%x: tensor<3x4xsi8>) -> tensor<3x4xsi8> {
// CHECK-NEXT:    %0 = graph.copy %x : tensor<3x4xsi8> -> tensor<3x4xsi8>

func.func @concat(%x: tensor<3x4xsi8>, %y: tensor<3x2xsi8>, %z: tensor<3x5xsi8>) -> tensor<3x11xsi8> {
  %0 = graph.concat %x, %y, %z {axis = 1 : i64} : tensor<3x4xsi8>, tensor<3x2xsi8>, tensor<3x5xsi8> -> tensor<3x11xsi8>
  func.return %0 : tensor<3x11xsi8>
}

// CHECK-LABEL: func.func @concat(%x: tensor<3x4xsi8>, %y: tensor<3x2xsi8>, %z: tensor<3x5xsi8>) -> tensor<3x11xsi8> {
// CHECK-NEXT:    %0 = graph.concat %x, %y, %z {axis = 1 : i64} : tensor<3x4xsi8>, tensor<3x2xsi8>, tensor<3x5xsi8> -> tensor<3x11xsi8>

func.func @reshape(%x: tensor<2x6xsi8>) -> tensor<3x4xsi8> {
  %0 = graph.reshape %x : tensor<2x6xsi8> -> tensor<3x4xsi8>
  func.return %0 : tensor<3x4xsi8>
}

// CHECK-LABEL: func.func @reshape(%x: tensor<2x6xsi8>) -> tensor<3x4xsi8> {
// CHECK-NEXT:    %0 = graph.reshape %x : tensor<2x6xsi8> -> tensor<3x4xsi8>

func.func @constant() -> tensor<2xsi8> {
  %0 = graph.constant dense<[1, -2]> : tensor<2xsi8>
  func.return %0 : tensor<2xsi8>
}

// CHECK-LABEL: func.func @constant() -> tensor<2xsi8> {
// CHECK-NEXT:    %0 = graph.constant dense<[1, -2]> : tensor<2xsi8>

func.func @constant_resource() -> tensor<2xsi8> {
  %0 = graph.constant dense_resource<w> : tensor<2xsi8>
  func.return %0 : tensor<2xsi8>
}

// CHECK-LABEL: func.func @constant_resource() -> tensor<2xsi8> {
// CHECK-NEXT:    %0 = graph.constant dense_resource<w> : tensor<2xsi8>

{-#
  dialect_resources: { builtin: { w: "0x0100000007F8" } }
#-}
