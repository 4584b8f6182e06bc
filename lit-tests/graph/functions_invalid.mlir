// RUN: %invalid | filecheck %s

// What the verifiers of rows, functions, reductions and ops on floats reject.

func.func @network(%x: tensor<f32>) {
  %0 = graph.softmax %x : tensor<f32> -> tensor<f32>
  func.return
}

// CHECK: 'graph.softmax' needs rows, not a scalar

// -----

func.func @network(%x: tensor<2x3xf32>, %w: tensor<2xf32>) {
  %0 = graph.rms_norm %x, %w {epsilon = 1.0e-05 : f64} : tensor<2x3xf32>, tensor<2xf32> -> tensor<2x3xf32>
  func.return
}

// CHECK: 'graph.rms_norm' needs vectors of shape (3,)

// -----

func.func @network(%x: tensor<2x3xsi8>, %w: tensor<3xsi32>) {
  %0 = graph.int_rms_norm %x, %w {shift = 32 : i64} : tensor<2x3xsi8>, tensor<3xsi32> -> tensor<2x3xsi8>
  func.return
}

// CHECK: 'graph.int_rms_norm' needs a shift of 0 to 31

// -----

func.func @network(%x: tensor<2x3xf32>, %w: tensor<3xsi32>) {
  %0 = graph.int_rms_norm %x, %w {shift = 3 : i64} : tensor<2x3xf32>, tensor<3xsi32> -> tensor<2x3xsi8>
  func.return
}

// CHECK: 'graph.int_rms_norm' needs integers

// -----

func.func @network(%x: tensor<2x3xsi8>, %w: tensor<3xsi32>) {
  %0 = graph.int_layer_norm %x, %w, %w {shift = 3 : i64} : tensor<2x3xsi8>, tensor<3xsi32>, tensor<3xsi32> -> tensor<2x3xui8>
  func.return
}

// CHECK: 'graph.int_layer_norm' has a result of type si8

// -----

func.func @network(%x: tensor<2x3xsi8>) {
  %0 = graph.softmax %x : tensor<2x3xsi8> -> tensor<2x3xf32>
  func.return
}

// CHECK: 'graph.softmax' needs floats

// -----

func.func @network(%x: tensor<2x3xf32>, %w: tensor<3xsi32>) {
  %0 = graph.layer_norm %x, %w {epsilon = 1.0e-05 : f64} : tensor<2x3xf32>, tensor<3xsi32> -> tensor<2x3xf32>
  func.return
}

// CHECK: 'graph.layer_norm' needs floats

// -----

func.func @network(%x: tensor<2x3xsi32>) {
  %0 = graph.ita_max %x {levels = 256 : i64} : tensor<2x3xsi32> -> tensor<2x3xui8>
  func.return
}

// CHECK: 'graph.ita_max' needs an input of 8 bits, not si32

// -----

func.func @network(%x: tensor<2x3xsi8>) {
  %0 = graph.ita_max %x {levels = 0 : i64} : tensor<2x3xsi8> -> tensor<2x3xui8>
  func.return
}

// CHECK: 'graph.ita_max' needs a positive 'levels'

// -----

func.func @network(%x: tensor<2x3xsi8>) {
  %0 = graph.ita_partial_max %x {group = 0 : i64, levels = 256 : i64} : tensor<2x3xsi8> -> tensor<2x3xui8>
  func.return
}

// CHECK: 'graph.ita_partial_max' needs a positive 'group'

// -----

func.func @network(%x: tensor<2x3xsi8>) {
  %0 = graph.int_softmax %x {a = 1 : i64, b = 0 : i64, c = 0 : i64, log2 = 9 : i64} : tensor<2x3xsi8> -> tensor<2x3xui8>
  func.return
}

// CHECK: 'graph.int_softmax' has terms below zero, or none at the maximum

// -----

func.func @network(%x: tensor<2x3xsi8>) {
  %0 = graph.int_softmax %x {a = 99 : i64, b = 999 : i64, c = 0 : i64, log2 = 9 : i64} : tensor<2x3xsi8> -> tensor<2x3xui8>
  func.return
}

// CHECK: 'graph.int_softmax' exceeds 31 bits on rows of 3 columns

// -----

func.func @network(%x: tensor<2x3xsi8>, %t: tensor<255xsi32>) {
  %0 = graph.int_softmax %x table %t : tensor<255xsi32> {a = 1 : i64, b = 173 : i64, c = 15599 : i64, log2 = 127 : i64} : tensor<2x3xsi8> -> tensor<2x3xui8>
  func.return
}

// CHECK: 'graph.int_softmax' needs tables of 256 elements

// -----

func.func @network(%x: tensor<2x3xsi8>, %t: tensor<256xsi8>) {
  %0 = graph.int_softmax %x mapping %t : tensor<256xsi8> {a = 1 : i64, b = 173 : i64, c = 15599 : i64, log2 = 127 : i64, requant = #graph.requant<mul = 3, add = 0, shift = 2, min = 0, max = 127>} : tensor<2x3xsi8> -> tensor<2x3xsi8>
  func.return
}

// CHECK: 'graph.int_softmax' has both 'mapping' and 'requant'

// -----

func.func @network(%x: tensor<2x3xsi8>, %t: tensor<256xsi8>) {
  %0 = graph.int_softmax %x mapping %t : tensor<256xsi8> {a = 1 : i64, b = 173 : i64, c = 15599 : i64, log2 = 127 : i64} : tensor<2x3xsi8> -> tensor<2x3xui8>
  func.return
}

// CHECK: 'graph.int_softmax' needs a mapping to elements of the result's type

// -----

func.func @network(%x: tensor<2xf32>) {
  %0 = graph.unary "sin" %x : tensor<2xf32> -> tensor<2xf32>
  func.return
}

// CHECK: 'graph.unary' knows no function 'sin'

// -----

func.func @network(%x: tensor<2xf32>) {
  %0 = graph.unary "swish" %x : tensor<2xf32> -> tensor<2xf32>
  func.return
}

// CHECK: 'graph.unary' needs 1 to 1 parameters for 'swish'

// -----

func.func @network(%x: tensor<2xsi8>) {
  %0 = graph.unary "exp" %x : tensor<2xsi8> -> tensor<2xf32>
  func.return
}

// CHECK: 'graph.unary' needs floats

// -----

func.func @network(%x: tensor<2xf32>) {
  %0 = graph.int_gelu %x {b = -3 : i64, one = 5 : i64} : tensor<2xf32> -> tensor<2xf32>
  func.return
}

// CHECK: 'graph.int_gelu' needs integers

// -----

func.func @network(%x: tensor<2xsi8>) {
  %0 = graph.quantize %x {scale = 1.0 : f64, zero_point = 0.0 : f64, min = 0 : i64, max = 9 : i64} : tensor<2xsi8> -> tensor<2xsi8>
  func.return
}

// CHECK: 'graph.quantize' needs floats

// -----

func.func @network(%x: tensor<2xf32>) {
  %0 = graph.quantize %x {scale = 1.0 : f64, zero_point = 0.0 : f64, min = 0 : i64, max = 200 : i64} : tensor<2xf32> -> tensor<2xsi8>
  func.return
}

// CHECK: 'graph.quantize' requantises to [0, 200], which si8 cannot hold

// -----

func.func @network(%x: tensor<2xf32>) {
  %0 = graph.dequantize %x {scale = 1.0 : f64, zero_point = 0.0 : f64} : tensor<2xf32> -> tensor<2xf32>
  func.return
}

// CHECK: 'graph.dequantize' needs integers

// -----

func.func @network(%x: tensor<2xsi8>) {
  %0 = graph.dequantize %x {scale = 1.0 : f64, zero_point = 0.0 : f64} : tensor<2xsi8> -> tensor<2xsi8>
  func.return
}

// CHECK: 'graph.dequantize' gives floats

// -----

func.func @network(%x: tensor<2xf32>) {
  %0 = graph.reduce "sum" %x {axes = array<i64: 1>} : tensor<2xf32> -> tensor<2xf32>
  func.return
}

// CHECK: 'graph.reduce' needs axes of 0 to 0, each once

// -----

func.func @network(%x: tensor<2xf32>) {
  %0 = graph.reduce "median" %x {axes = array<i64: 0>} : tensor<2xf32> -> tensor<1xf32>
  func.return
}

// CHECK: 'graph.reduce' knows no kind 'median'

// -----

func.func @network(%x: tensor<2xsi8>) {
  %0 = graph.reduce "mean" %x {axes = array<i64: 0>} : tensor<2xsi8> -> tensor<1xf32>
  func.return
}

// CHECK: 'graph.reduce' mixes floats and integers

// -----

func.func @network(%x: tensor<2xsi8>) {
  %0 = graph.div %x, %x : tensor<2xsi8>, tensor<2xsi8> -> tensor<2xsi8>
  func.return
}

// CHECK: 'graph.div' needs floats

// -----

func.func @network(%x: tensor<2xsi8>) {
  %0 = graph.pow %x, %x : tensor<2xsi8>, tensor<2xsi8> -> tensor<2xsi8>
  func.return
}

// CHECK: 'graph.pow' needs floats

// -----

func.func @network(%x: tensor<2xf32>) {
  %0 = graph.int_div %x, %x {delta = 1 : i64, eta = 1 : i64, eps = 1 : i64} : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
  func.return
}

// CHECK: 'graph.int_div' needs integers

// -----

func.func @network(%x: tensor<2xf32>, %y: tensor<2xsi8>) {
  %0 = graph.add %x, %y : tensor<2xf32>, tensor<2xsi8> -> tensor<2xf32>
  func.return
}

// CHECK: 'graph.add' mixes floats and integers

// -----

func.func @network(%x: tensor<2xf32>) {
  %0 = graph.add %x, %x {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = 0, max = 1>} : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
  func.return
}

// CHECK: 'graph.add' cannot requantise to floats

// -----

func.func @network(%x: tensor<2xf32>) {
  %0 = graph.clip %x {min = 0 : i64, max = 1 : i64} : tensor<2xf32> -> tensor<2xf32>
  func.return
}

// CHECK: 'graph.clip' can only requantise to an integer type, not f32

// -----

func.func @network(%x: tensor<2xf32>) {
  %0 = graph.pad %x {low = array<i64: 1>, high = array<i64: 0>, value = 0 : i64} : tensor<2xf32> -> tensor<3xf32>
  func.return
}

// CHECK: 'graph.pad' needs a value of its element type

// -----

func.func @network(%x: tensor<2xf32>) {
  %0 = graph.quantize %x {scale = 1.0 : f64, zero_point = 0.5 : f64, min = 0 : i64, max = 9 : i64, half_even} : tensor<2xf32> -> tensor<2xsi8>
  func.return
}

// CHECK: 'graph.quantize' with 'half_even' needs an integer zero point

// -----

func.func @network(%x: tensor<2xsi8>, %s: tensor<3x1xf32>) {
  %0 = graph.dequantize %x scales %s : tensor<3x1xf32> {scale = 1.0 : f64, zero_point = 0.0 : f64} : tensor<2xsi8> -> tensor<2xf32>
  func.return
}

// CHECK: 'graph.dequantize' has scales larger than its input

// -----

func.func @network(%x: tensor<2xsi8>, %s: tensor<2xsi32>) {
  %0 = graph.dequantize %x scales %s : tensor<2xsi32> {scale = 1.0 : f64, zero_point = 0.0 : f64} : tensor<2xsi8> -> tensor<2xf32>
  func.return
}

// CHECK: 'graph.dequantize' needs scales that are floats

// -----

func.func @lookup_short(%x: tensor<4xsi8>, %t: tensor<128xsi8>) {
  // CHECK: 'graph.lookup' needs a table of 256 elements
  %0 = graph.lookup %x in %t : tensor<4xsi8> in tensor<128xsi8> -> tensor<4xsi8>
  func.return
}

// -----

func.func @lookup_words(%x: tensor<4xsi32>, %t: tensor<256xsi8>) {
  // CHECK: 'graph.lookup' needs bytes
  %0 = graph.lookup %x in %t : tensor<4xsi32> in tensor<256xsi8> -> tensor<4xsi8>
  func.return
}

// -----

func.func @lookup_type(%x: tensor<4xsi8>, %t: tensor<256xsi8>) {
  // CHECK: 'graph.lookup' gives elements of its table's type
  %0 = graph.lookup %x in %t : tensor<4xsi8> in tensor<256xsi8> -> tensor<4xui8>
  func.return
}
