// RUN: %roundtrip
// RUN: %generic_roundtrip

// Ops on floats, and divisions.

func.func @matmul_float(%x: tensor<5x7xf32>, %w: tensor<7x4xf32>) -> tensor<5x4xf32> {
  %0 = graph.matmul %x, %w : tensor<5x7xf32>, tensor<7x4xf32> -> tensor<5x4xf32>
  func.return %0 : tensor<5x4xf32>
}

// CHECK-LABEL: func.func @matmul_float(%x: tensor<5x7xf32>, %w: tensor<7x4xf32>) -> tensor<5x4xf32> {
// CHECK-NEXT:    %0 = graph.matmul %x, %w : tensor<5x7xf32>, tensor<7x4xf32> -> tensor<5x4xf32>

func.func @div_float(%x: tensor<4x5xf32>, %y: tensor<5xf32>) -> tensor<4x5xf32> {
  %0 = graph.div %x, %y : tensor<4x5xf32>, tensor<5xf32> -> tensor<4x5xf32>
  func.return %0 : tensor<4x5xf32>
}

// CHECK-LABEL: func.func @div_float(%x: tensor<4x5xf32>, %y: tensor<5xf32>) -> tensor<4x5xf32> {
// CHECK-NEXT:    %0 = graph.div %x, %y : tensor<4x5xf32>, tensor<5xf32> -> tensor<4x5xf32>

func.func @pow_float(%x: tensor<4x5xf32>, %y: tensor<f32>) -> tensor<4x5xf32> {
  %0 = graph.pow %x, %y : tensor<4x5xf32>, tensor<f32> -> tensor<4x5xf32>
  func.return %0 : tensor<4x5xf32>
}

// CHECK-LABEL: func.func @pow_float(%x: tensor<4x5xf32>, %y: tensor<f32>) -> tensor<4x5xf32> {
// CHECK-NEXT:    %0 = graph.pow %x, %y : tensor<4x5xf32>, tensor<f32> -> tensor<4x5xf32>

func.func @int_div(%x: tensor<4x5xsi8>, %y: tensor<4x1xui8>) -> tensor<4x5xsi32> {
  %0 = graph.int_div %x, %y {delta = 256 : i64, eta = 7 : i64, eps = 3 : i64} : tensor<4x5xsi8>, tensor<4x1xui8> -> tensor<4x5xsi32>
  func.return %0 : tensor<4x5xsi32>
}

// CHECK-LABEL: func.func @int_div(%x: tensor<4x5xsi8>, %y: tensor<4x1xui8>) -> tensor<4x5xsi32> {
// CHECK-NEXT:    %0 = graph.int_div %x, %y {delta = 256 : i64, eta = 7 : i64, eps = 3 : i64} : tensor<4x5xsi8>, tensor<4x1xui8> -> tensor<4x5xsi32>

func.func @int_div_requant(%x: tensor<3x5xsi32>, %y: tensor<5xui8>, %a: tensor<5xsi32>) -> tensor<3x5xsi8> {
  %0 = graph.int_div %x, %y add %a : tensor<5xsi32> {delta = 4 : i64, eta = 1 : i64, eps = 1 : i64, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<3x5xsi32>, tensor<5xui8> -> tensor<3x5xsi8>
  func.return %0 : tensor<3x5xsi8>
}

// CHECK-LABEL: func.func @int_div_requant(%x: tensor<3x5xsi32>, %y: tensor<5xui8>, %a: tensor<5xsi32>) -> tensor<3x5xsi8> {
// CHECK-NEXT:    %0 = graph.int_div %x, %y add %a : tensor<5xsi32> {delta = 4 : i64, eta = 1 : i64, eps = 1 : i64, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<3x5xsi32>, tensor<5xui8> -> tensor<3x5xsi8>

func.func @matmul_float_bias(%x: tensor<5x7xf32>, %w: tensor<4x7xf32>, %a: tensor<4xf32>) -> tensor<5x4xf32> {
  %0 = graph.matmul %x, %w add %a : tensor<4xf32> {transpose_rhs} : tensor<5x7xf32>, tensor<4x7xf32> -> tensor<5x4xf32>
  func.return %0 : tensor<5x4xf32>
}

// CHECK-LABEL: func.func @matmul_float_bias(%x: tensor<5x7xf32>, %w: tensor<4x7xf32>, %a: tensor<4xf32>) -> tensor<5x4xf32> {
// CHECK-NEXT:    %0 = graph.matmul %x, %w add %a : tensor<4xf32> {transpose_rhs} : tensor<5x7xf32>, tensor<4x7xf32> -> tensor<5x4xf32>

func.func @conv_float_bias(%x: tensor<1x3x6x5xf32>, %w: tensor<4x3x3x2xf32>, %a: tensor<4xf32>) -> tensor<1x4x3x5xf32> {
  %0 = graph.conv %x, %w add %a : tensor<4xf32> {strides = array<i64: 2, 1>, pads = array<i64: 1, 0, 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64} : tensor<1x3x6x5xf32>, tensor<4x3x3x2xf32> -> tensor<1x4x3x5xf32>
  func.return %0 : tensor<1x4x3x5xf32>
}

// CHECK-LABEL: func.func @conv_float_bias(%x: tensor<1x3x6x5xf32>, %w: tensor<4x3x3x2xf32>, %a: tensor<4xf32>) -> tensor<1x4x3x5xf32> {
// CHECK-NEXT:    %0 = graph.conv %x, %w add %a : tensor<4xf32> {strides = array<i64: 2, 1>, pads = array<i64: 1, 0, 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64} : tensor<1x3x6x5xf32>, tensor<4x3x3x2xf32> -> tensor<1x4x3x5xf32>

func.func @depthwise_float_bias(%x: tensor<1x6x5x3xf32>, %w: tensor<3x3x3xf32>, %a: tensor<3xf32>) -> tensor<1x6x5x3xf32> {
  %0 = graph.depthwise_conv %x, %w add %a : tensor<3xf32> {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, channels_last} : tensor<1x6x5x3xf32>, tensor<3x3x3xf32> -> tensor<1x6x5x3xf32>
  func.return %0 : tensor<1x6x5x3xf32>
}

// CHECK-LABEL: func.func @depthwise_float_bias(%x: tensor<1x6x5x3xf32>, %w: tensor<3x3x3xf32>, %a: tensor<3xf32>) -> tensor<1x6x5x3xf32> {
// CHECK-NEXT:    %0 = graph.depthwise_conv %x, %w add %a : tensor<3xf32> {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, channels_last} : tensor<1x6x5x3xf32>, tensor<3x3x3xf32> -> tensor<1x6x5x3xf32>

func.func @average_pool_float(%x: tensor<1x3x6x6xf32>) -> tensor<1x3x3x3xf32> {
  %0 = graph.average_pool %x {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, kernel = array<i64: 3, 3>} : tensor<1x3x6x6xf32> -> tensor<1x3x3x3xf32>
  func.return %0 : tensor<1x3x3x3xf32>
}

// CHECK-LABEL: func.func @average_pool_float(%x: tensor<1x3x6x6xf32>) -> tensor<1x3x3x3xf32> {
// CHECK-NEXT:    %0 = graph.average_pool %x {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, kernel = array<i64: 3, 3>} : tensor<1x3x6x6xf32> -> tensor<1x3x3x3xf32>

func.func @pad_float(%x: tensor<3x4xf32>) -> tensor<6x7xf32> {
  %0 = graph.pad %x {low = array<i64: 1, 0>, high = array<i64: 2, 3>, value = -5.000000e-01 : f64} : tensor<3x4xf32> -> tensor<6x7xf32>
  func.return %0 : tensor<6x7xf32>
}

// CHECK-LABEL: func.func @pad_float(%x: tensor<3x4xf32>) -> tensor<6x7xf32> {
// CHECK-NEXT:    %0 = graph.pad %x {low = array<i64: 1, 0>, high = array<i64: 2, 3>, value = -5.000000e-01 : f64} : tensor<3x4xf32> -> tensor<6x7xf32>

func.func @add_float(%x: tensor<3x4xf32>, %y: tensor<3x1xf32>) -> tensor<3x4xf32> {
  %0 = graph.add %x, %y : tensor<3x4xf32>, tensor<3x1xf32> -> tensor<3x4xf32>
  func.return %0 : tensor<3x4xf32>
}

// CHECK-LABEL: func.func @add_float(%x: tensor<3x4xf32>, %y: tensor<3x1xf32>) -> tensor<3x4xf32> {
// CHECK-NEXT:    %0 = graph.add %x, %y : tensor<3x4xf32>, tensor<3x1xf32> -> tensor<3x4xf32>
