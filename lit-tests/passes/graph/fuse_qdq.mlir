// RUN: deeploy-opt %s -p fuse-qdq --split-input-file | filecheck %s
// RUN: deeploy-opt %s -p fuse-qdq,quantize-to-requant,fold-constants,simplify,fuse-requant --check-semantics --split-input-file 2>&1 | filecheck %s --check-prefix=SAME

// SAME-COUNT-11: semantics: 5 passes checked, outputs unchanged

// A scale for each output channel, and a zero point: it becomes part of the bias (-3 * (10 + 20) - 1
// and -3 * (30 - 40) + 2), and pads hold it.

func.func @conv(%x: tensor<1x1x2x2xui8>) -> tensor<1x2x3x2xf32> {
  %w = graph.constant dense<[[[[10], [20]]], [[[30], [-40]]]]> : tensor<2x1x2x1xsi8>
  %s = graph.constant dense<[[[[0.5]]], [[[0.25]]]]> : tensor<2x1x1x1xf32>
  %b = graph.constant dense<[-0.125, 0.125]> : tensor<2xf32>
  %0 = graph.dequantize %x {scale = 0.25 : f64, zero_point = 3.0 : f64} : tensor<1x1x2x2xui8> -> tensor<1x1x2x2xf32>
  %1 = graph.dequantize %w scales %s : tensor<2x1x1x1xf32> {scale = 1.0 : f64, zero_point = 0.0 : f64} : tensor<2x1x2x1xsi8> -> tensor<2x1x2x1xf32>
  %2 = graph.conv %0, %1 add %b : tensor<2xf32> {strides = array<i64: 1, 1>, pads = array<i64: 1, 0, 1, 0>, dilations = array<i64: 1, 1>, groups = 1} : tensor<1x1x2x2xf32>, tensor<2x1x2x1xf32> -> tensor<1x2x3x2xf32>
  func.return %2 : tensor<1x2x3x2xf32>
}

// CHECK-LABEL: func.func @conv
// CHECK-NEXT:    %w = graph.constant dense<{{\[\[\[\[}}10], [20]]], {{\[\[\[}}30], [-40]]]]> : tensor<2x1x2x1xsi8>
// CHECK-NEXT:    %0 = graph.pad %x {low = array<i64: 0, 0, 1, 0>, high = array<i64: 0, 0, 1, 0>, value = 3 : i64} : tensor<1x1x2x2xui8> -> tensor<1x1x4x2xui8>
// CHECK-NEXT:    %bias = graph.constant dense<[-91, 32]> : tensor<2xsi32>
// CHECK-NEXT:    %1 = graph.conv %0, %w add %bias : tensor<2xsi32> {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 1 : i64, requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -2147483648, max = 2147483647>} : tensor<1x1x4x2xui8>, tensor<2x1x2x1xsi8> -> tensor<1x2x3x2xsi32>
// CHECK-NEXT:    %scales = graph.constant dense<{{\[\[\[}}1.250000e-01]], {{\[\[}}6.250000e-02]]]> : tensor<2x1x1xf32>
// CHECK-NEXT:    %2 = graph.dequantize %1 scales %scales : tensor<2x1x1xf32> {scale = 1.000000e+00 : f64, zero_point = 0.000000e+00 : f64} : tensor<1x2x3x2xsi32> -> tensor<1x2x3x2xf32>
// CHECK-NEXT:    func.return %2

// -----

// A product of two activations with zero points: p * sum(b) and q * sum(a) are subtracted.

func.func @matmul(%a: tensor<2x4xui8>, %b: tensor<4x3xsi8>) -> tensor<2x3xf32> {
  %0 = graph.dequantize %a {scale = 0.5 : f64, zero_point = 7.0 : f64} : tensor<2x4xui8> -> tensor<2x4xf32>
  %1 = graph.dequantize %b {scale = 0.5 : f64, zero_point = 2.0 : f64} : tensor<4x3xsi8> -> tensor<4x3xf32>
  %2 = graph.matmul %0, %1 : tensor<2x4xf32>, tensor<4x3xf32> -> tensor<2x3xf32>
  func.return %2 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @matmul
// CHECK-NEXT:    %0 = graph.matmul %a, %b : tensor<2x4xui8>, tensor<4x3xsi8> -> tensor<2x3xsi32>
// CHECK-NEXT:    %1 = graph.reduce "sum" %b {axes = array<i64: 0>} : tensor<4x3xsi8> -> tensor<1x3xsi32>
// CHECK-NEXT:    %2 = graph.sub %0, %1 {rhs_requant = #graph.requant<mul = 7, add = -56, shift = 0, min = -2147483648, max = 2147483647>} : tensor<2x3xsi32>, tensor<1x3xsi32> -> tensor<2x3xsi32>
// CHECK-NEXT:    %3 = graph.reduce "sum" %a {axes = array<i64: 1>} : tensor<2x4xui8> -> tensor<2x1xsi32>
// CHECK-NEXT:    %4 = graph.sub %2, %3 {rhs_requant = #graph.requant<mul = 2, add = 0, shift = 0, min = -2147483648, max = 2147483647>} : tensor<2x3xsi32>, tensor<2x1xsi32> -> tensor<2x3xsi32>
// CHECK-NEXT:    %5 = graph.dequantize %4 {scale = 2.500000e-01 : f64, zero_point = 0.000000e+00 : f64} : tensor<2x3xsi32> -> tensor<2x3xf32>
// CHECK-NEXT:    func.return %5

// -----

// A rectifier becomes the lower limit; integers move instead of floats.

func.func @relu(%x: tensor<2x3xsi8>) -> tensor<3x2xsi8> {
  %0 = graph.dequantize %x {scale = 0.5 : f64, zero_point = 0.0 : f64} : tensor<2x3xsi8> -> tensor<2x3xf32>
  %1 = graph.transpose %0 {permutation = array<i64: 1, 0>} : tensor<2x3xf32> -> tensor<3x2xf32>
  %2 = graph.unary "relu" %1 : tensor<3x2xf32> -> tensor<3x2xf32>
  %3 = graph.quantize %2 {scale = 3.0 : f64, zero_point = 5.0 : f64, min = -128, max = 127, half_even} : tensor<3x2xf32> -> tensor<3x2xsi8>
  func.return %3 : tensor<3x2xsi8>
}

// CHECK-LABEL: func.func @relu
// CHECK-NEXT:    %0 = graph.transpose %x {permutation = array<i64: 1, 0>} : tensor<2x3xsi8> -> tensor<3x2xsi8>
// CHECK-NEXT:    %1 = graph.dequantize %0 {scale = 5.000000e-01 : f64, zero_point = 0.000000e+00 : f64} : tensor<3x2xsi8> -> tensor<3x2xf32>
// CHECK-NEXT:    %2 = graph.quantize %1 {scale = 3.000000e+00 : f64, zero_point = 5.000000e+00 : f64, min = 5 : i64, max = 127 : i64, half_even} : tensor<3x2xf32> -> tensor<3x2xsi8>
// CHECK-NEXT:    func.return %2

// -----

// Accumulators do not move: what they are quantised to does.

func.func @rows(%x: tensor<2x4xsi8>) -> tensor<4x1x3xsi8> {
  %w = graph.constant dense<2.0> : tensor<6x4xf32>
  %0 = graph.dequantize %x {scale = 0.5 : f64, zero_point = 0.0 : f64} : tensor<2x4xsi8> -> tensor<2x4xf32>
  %1 = graph.matmul %0, %w {transpose_rhs} : tensor<2x4xf32>, tensor<6x4xf32> -> tensor<2x6xf32>
  %2 = graph.reshape %1 : tensor<2x6xf32> -> tensor<4x1x3xf32>
  %3 = graph.quantize %2 {scale = 3.0 : f64, zero_point = 5.0 : f64, min = -128, max = 127, half_even} : tensor<4x1x3xf32> -> tensor<4x1x3xsi8>
  func.return %3 : tensor<4x1x3xsi8>
}

// CHECK-LABEL: func.func @rows
// CHECK:         %0 = graph.matmul %x, %w {transpose_rhs} : tensor<2x4xsi8>, tensor<6x4xsi8> -> tensor<2x6xsi32>
// CHECK-NEXT:    %1 = graph.dequantize %0
// CHECK-NEXT:    %2 = graph.quantize %1 {{.*}} -> tensor<2x6xsi8>
// CHECK-NEXT:    %3 = graph.reshape %2 : tensor<2x6xsi8> -> tensor<4x1x3xsi8>

// -----

// The type in which the zero point is 0. What has no integer form stays on floats.

func.func @recentred(%x: tensor<4xf32>) -> tensor<4xsi8> {
  %0 = graph.quantize %x {scale = 3.0 : f64, zero_point = 128.0 : f64, min = 0, max = 255, half_even} : tensor<4xf32> -> tensor<4xui8>
  %1 = graph.dequantize %0 {scale = 0.5 : f64, zero_point = 128.0 : f64} : tensor<4xui8> -> tensor<4xf32>
  %2 = graph.unary "tanh" %1 : tensor<4xf32> -> tensor<4xf32>
  %3 = graph.quantize %2 {scale = 127.0 : f64, zero_point = 0.0 : f64, min = -128, max = 127, half_even} : tensor<4xf32> -> tensor<4xsi8>
  func.return %3 : tensor<4xsi8>
}

// CHECK-LABEL: func.func @recentred
// CHECK-NEXT:    %0 = graph.quantize %x {scale = 3.000000e+00 : f64, zero_point = 0.000000e+00 : f64, min = -128 : i64, max = 127 : i64, half_even} : tensor<4xf32> -> tensor<4xsi8>
// CHECK-NEXT:    %1 = graph.dequantize %0 {scale = 5.000000e-01 : f64, zero_point = 0.000000e+00 : f64} : tensor<4xsi8> -> tensor<4xf32>
// CHECK-NEXT:    %2 = graph.unary "tanh" %1
// CHECK-NEXT:    %3 = graph.quantize %2

// -----

// Quantisation as arithmetic, as exporters without QuantizeLinear write it.

func.func @spelled_out(%x: tensor<4xf32>) -> tensor<4xf32> {
  %scale = graph.constant dense<0.125> : tensor<f32>
  %zero = graph.constant dense<4.0> : tensor<f32>
  %0 = graph.div %x, %scale : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %1 = graph.add %0, %zero : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %2 = graph.unary "round" %1 : tensor<4xf32> -> tensor<4xf32>
  %3 = graph.unary "clip" %2 {alpha = -128.0 : f64, beta = 127.0 : f64} : tensor<4xf32> -> tensor<4xf32>
  %4 = graph.sub %3, %zero : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  %5 = graph.mul %4, %scale : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  func.return %5 : tensor<4xf32>
}

// CHECK-LABEL: func.func @spelled_out
// CHECK-NEXT:    %0 = graph.quantize %x {scale = 8.000000e+00 : f64, zero_point = 4.000000e+00 : f64, min = -128 : i64, max = 127 : i64, half_even} : tensor<4xf32> -> tensor<4xsi8>
// CHECK-NEXT:    %1 = graph.dequantize %0 {scale = 1.250000e-01 : f64, zero_point = 4.000000e+00 : f64} : tensor<4xsi8> -> tensor<4xf32>
// CHECK-NEXT:    func.return %1

// -----

// Operands are quantised before they are put together. Means are sums with a smaller scale, those of
// windows are sums by a convolution of each channel.

func.func @concat(%x: tensor<1x1x4x4xsi8>, %y: tensor<1x2x4x4xsi8>) -> tensor<1x3x4x4xsi8> {
  %0 = graph.dequantize %x {scale = 0.5 : f64, zero_point = 0.0 : f64} : tensor<1x1x4x4xsi8> -> tensor<1x1x4x4xf32>
  %1 = graph.dequantize %y {scale = 0.25 : f64, zero_point = 0.0 : f64} : tensor<1x2x4x4xsi8> -> tensor<1x2x4x4xf32>
  %2 = graph.concat %0, %1 {axis = 1} : tensor<1x1x4x4xf32>, tensor<1x2x4x4xf32> -> tensor<1x3x4x4xf32>
  %3 = graph.quantize %2 {scale = 4.0 : f64, zero_point = 0.0 : f64, min = -128, max = 127, half_even} : tensor<1x3x4x4xf32> -> tensor<1x3x4x4xsi8>
  func.return %3 : tensor<1x3x4x4xsi8>
}

// CHECK-LABEL: func.func @concat
// CHECK:         graph.quantize {{.*}} -> tensor<1x1x4x4xsi8>
// CHECK:         graph.quantize {{.*}} -> tensor<1x2x4x4xsi8>
// CHECK-NEXT:    graph.concat {{.*}} -> tensor<1x3x4x4xsi8>

// -----

func.func @means(%x: tensor<1x2x4x4xsi8>) -> (tensor<1x2x1x1xf32>, tensor<1x2x2x2xf32>) {
  %0 = graph.dequantize %x {scale = 0.5 : f64, zero_point = 1.0 : f64} : tensor<1x2x4x4xsi8> -> tensor<1x2x4x4xf32>
  %1 = graph.average_pool %0 {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, kernel = array<i64: 4, 4>} : tensor<1x2x4x4xf32> -> tensor<1x2x1x1xf32>
  %2 = graph.average_pool %0 {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, kernel = array<i64: 2, 2>} : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
  func.return %1, %2 : tensor<1x2x1x1xf32>, tensor<1x2x2x2xf32>
}

// CHECK-LABEL: func.func @means
// CHECK:         %[[SUM:.*]] = graph.reduce "sum" %x {axes = array<i64: 2, 3>} : tensor<1x2x4x4xsi8> -> tensor<1x2x1x1xsi32>
// CHECK-NEXT:    graph.dequantize %[[SUM]] {scale = 3.125000e-02 : f64, zero_point = 1.600000e+01 : f64}
// CHECK:         graph.constant dense<1> : tensor<2x1x2x2xsi8>
// CHECK:         graph.conv %x, {{.*}}groups = 2 : i64{{.*}} -> tensor<1x2x2x2xsi32>
// CHECK:         graph.dequantize {{.*}}scale = 1.250000e-01 : f64

// -----

// Weights that vary, with a scale for each row of them, and a bias that varies: nothing is known of
// the accumulator's scale, and the product stays on floats.

func.func @left_alone(%x: tensor<2x4xsi8>, %w: tensor<3x4xsi8>, %s: tensor<3x1xf32>, %b: tensor<3xf32>) -> tensor<2x3xf32> {
  %0 = graph.dequantize %x {scale = 0.5 : f64, zero_point = 0.0 : f64} : tensor<2x4xsi8> -> tensor<2x4xf32>
  %1 = graph.dequantize %w scales %s : tensor<3x1xf32> {scale = 1.0 : f64, zero_point = 0.0 : f64} : tensor<3x4xsi8> -> tensor<3x4xf32>
  %2 = graph.matmul %0, %1 add %b : tensor<3xf32> {transpose_rhs} : tensor<2x4xf32>, tensor<3x4xf32> -> tensor<2x3xf32>
  func.return %2 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @left_alone
// CHECK:         graph.matmul %0, %1 add %b : tensor<3xf32> {transpose_rhs} : tensor<2x4xf32>

// -----

// Rows of a table are found among integers.

func.func @gather(%table: tensor<1x6x4xsi8>, %at: tensor<3xsi32>) -> tensor<1x3x4xf32> {
  %0 = graph.dequantize %table {scale = 0.25 : f64, zero_point = 3.0 : f64} : tensor<1x6x4xsi8> -> tensor<1x6x4xf32>
  %1 = graph.gather %0 at %at : tensor<1x6x4xf32> at tensor<3xsi32> -> tensor<1x3x4xf32>
  func.return %1 : tensor<1x3x4xf32>
}

// CHECK-LABEL: func.func @gather
// CHECK-NEXT:    %0 = graph.gather %table at %at : tensor<1x6x4xsi8> at tensor<3xsi32> -> tensor<1x3x4xsi8>
// CHECK-NEXT:    %1 = graph.dequantize %0 {scale = 2.500000e-01 : f64, zero_point = 3.000000e+00 : f64} : tensor<1x3x4xsi8> -> tensor<1x3x4xf32>

// -----

// A choice between two scales is one between two requantisations.

func.func @select(%c: tensor<4xui8>, %x: tensor<2x4xsi8>, %y: tensor<2x4xsi8>) -> tensor<2x4xsi8> {
  %0 = graph.dequantize %x {scale = 0.25 : f64, zero_point = 0.0 : f64} : tensor<2x4xsi8> -> tensor<2x4xf32>
  %1 = graph.dequantize %y {scale = 0.5 : f64, zero_point = 0.0 : f64} : tensor<2x4xsi8> -> tensor<2x4xf32>
  %2 = graph.select %c, %0, %1 : tensor<4xui8>, tensor<2x4xf32>, tensor<2x4xf32> -> tensor<2x4xf32>
  %3 = graph.quantize %2 {scale = 2.0 : f64, zero_point = 0.0 : f64, min = -128, max = 127, half_even} : tensor<2x4xf32> -> tensor<2x4xsi8>
  func.return %3 : tensor<2x4xsi8>
}

// CHECK-LABEL: func.func @select
// CHECK-COUNT-2: graph.quantize
// CHECK-NEXT:    graph.select %c, {{.*}} -> tensor<2x4xsi8>
