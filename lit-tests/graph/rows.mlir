// RUN: %roundtrip
// RUN: %generic_roundtrip

// Ops on rows: softmax and normalisation.

func.func @int_softmax(%x: tensor<2x3x9xsi8>) -> tensor<2x3x9xui8> {
  %0 = graph.int_softmax %x {a = 1 : i64, b = 173 : i64, c = 15599 : i64, log2 = 127 : i64} : tensor<2x3x9xsi8> -> tensor<2x3x9xui8>
  func.return %0 : tensor<2x3x9xui8>
}

// CHECK-LABEL: func.func @int_softmax(%x: tensor<2x3x9xsi8>) -> tensor<2x3x9xui8> {
// CHECK-NEXT:    %0 = graph.int_softmax %x {a = 1 : i64, b = 173 : i64, c = 15599 : i64, log2 = 127 : i64} : tensor<2x3x9xsi8> -> tensor<2x3x9xui8>

func.func @int_softmax_requant(%x: tensor<4x9xui8>, %m: tensor<9xsi32>) -> tensor<4x9xsi8> {
  %0 = graph.int_softmax %x mul %m : tensor<9xsi32> {a = 2 : i64, b = 9 : i64, c = 1 : i64, log2 = 5 : i64, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<4x9xui8> -> tensor<4x9xsi8>
  func.return %0 : tensor<4x9xsi8>
}

// CHECK-LABEL: func.func @int_softmax_requant(%x: tensor<4x9xui8>, %m: tensor<9xsi32>) -> tensor<4x9xsi8> {
// CHECK-NEXT:    %0 = graph.int_softmax %x mul %m : tensor<9xsi32> {a = 2 : i64, b = 9 : i64, c = 1 : i64, log2 = 5 : i64, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<4x9xui8> -> tensor<4x9xsi8>

func.func @int_softmax_table(%x: tensor<4x9xui8>, %t: tensor<256xsi32>) -> tensor<4x9xui8> {
  %0 = graph.int_softmax %x table %t : tensor<256xsi32> {a = 2 : i64, b = 9 : i64, c = 1 : i64, log2 = 5 : i64} : tensor<4x9xui8> -> tensor<4x9xui8>
  func.return %0 : tensor<4x9xui8>
}

// CHECK-LABEL: func.func @int_softmax_table(%x: tensor<4x9xui8>, %t: tensor<256xsi32>) -> tensor<4x9xui8> {
// CHECK-NEXT:    %0 = graph.int_softmax %x table %t : tensor<256xsi32> {a = 2 : i64, b = 9 : i64, c = 1 : i64, log2 = 5 : i64} : tensor<4x9xui8> -> tensor<4x9xui8>

func.func @int_softmax_mapping(%x: tensor<4x9xui8>, %t: tensor<256xsi32>, %m: tensor<256xsi8>) -> tensor<4x9xsi8> {
  %0 = graph.int_softmax %x table %t : tensor<256xsi32> mapping %m : tensor<256xsi8> {a = 2 : i64, b = 9 : i64, c = 1 : i64, log2 = 5 : i64} : tensor<4x9xui8> -> tensor<4x9xsi8>
  func.return %0 : tensor<4x9xsi8>
}

// CHECK-LABEL: func.func @int_softmax_mapping(%x: tensor<4x9xui8>, %t: tensor<256xsi32>, %m: tensor<256xsi8>) -> tensor<4x9xsi8> {
// CHECK-NEXT:    %0 = graph.int_softmax %x table %t : tensor<256xsi32> mapping %m : tensor<256xsi8> {a = 2 : i64, b = 9 : i64, c = 1 : i64, log2 = 5 : i64} : tensor<4x9xui8> -> tensor<4x9xsi8>

func.func @ita_max(%x: tensor<2x5x9xsi8>) -> tensor<2x5x9xui8> {
  %0 = graph.ita_max %x {levels = 256 : i64} : tensor<2x5x9xsi8> -> tensor<2x5x9xui8>
  func.return %0 : tensor<2x5x9xui8>
}

// CHECK-LABEL: func.func @ita_max(%x: tensor<2x5x9xsi8>) -> tensor<2x5x9xui8> {
// CHECK-NEXT:    %0 = graph.ita_max %x {levels = 256 : i64} : tensor<2x5x9xsi8> -> tensor<2x5x9xui8>

func.func @ita_partial_max(%x: tensor<2x5x9xsi8>) -> tensor<2x5x9xsi8> {
  %0 = graph.ita_partial_max %x {group = 4 : i64, levels = 256 : i64, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<2x5x9xsi8> -> tensor<2x5x9xsi8>
  func.return %0 : tensor<2x5x9xsi8>
}

// CHECK-LABEL: func.func @ita_partial_max(%x: tensor<2x5x9xsi8>) -> tensor<2x5x9xsi8> {
// CHECK-NEXT:    %0 = graph.ita_partial_max %x {group = 4 : i64, levels = 256 : i64, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<2x5x9xsi8> -> tensor<2x5x9xsi8>

func.func @int_rms_norm(%x: tensor<2x3x9xsi8>, %w: tensor<9xsi32>) -> tensor<2x3x9xsi8> {
  %0 = graph.int_rms_norm %x, %w {shift = 16 : i64, weight_limit = 1000 : i64} : tensor<2x3x9xsi8>, tensor<9xsi32> -> tensor<2x3x9xsi8>
  func.return %0 : tensor<2x3x9xsi8>
}

// CHECK-LABEL: func.func @int_rms_norm(%x: tensor<2x3x9xsi8>, %w: tensor<9xsi32>) -> tensor<2x3x9xsi8> {
// CHECK-NEXT:    %0 = graph.int_rms_norm %x, %w {shift = 16 : i64, weight_limit = 1000 : i64} : tensor<2x3x9xsi8>, tensor<9xsi32> -> tensor<2x3x9xsi8>

func.func @int_layer_norm(%x: tensor<2x3x9xsi8>, %w: tensor<9xsi32>, %b: tensor<9xsi32>) -> tensor<2x3x9xsi8> {
  %0 = graph.int_layer_norm %x, %w, %b {shift = 16 : i64} : tensor<2x3x9xsi8>, tensor<9xsi32>, tensor<9xsi32> -> tensor<2x3x9xsi8>
  func.return %0 : tensor<2x3x9xsi8>
}

// CHECK-LABEL: func.func @int_layer_norm(%x: tensor<2x3x9xsi8>, %w: tensor<9xsi32>, %b: tensor<9xsi32>) -> tensor<2x3x9xsi8> {
// CHECK-NEXT:    %0 = graph.int_layer_norm %x, %w, %b {shift = 16 : i64} : tensor<2x3x9xsi8>, tensor<9xsi32>, tensor<9xsi32> -> tensor<2x3x9xsi8>

func.func @softmax_float(%x: tensor<2x3x9xf32>) -> tensor<2x3x9xf32> {
  %0 = graph.softmax %x : tensor<2x3x9xf32> -> tensor<2x3x9xf32>
  func.return %0 : tensor<2x3x9xf32>
}

// CHECK-LABEL: func.func @softmax_float(%x: tensor<2x3x9xf32>) -> tensor<2x3x9xf32> {
// CHECK-NEXT:    %0 = graph.softmax %x : tensor<2x3x9xf32> -> tensor<2x3x9xf32>

func.func @rms_norm_float(%x: tensor<2x3x9xf32>, %w: tensor<9xf32>) -> tensor<2x3x9xf32> {
  %0 = graph.rms_norm %x, %w {epsilon = 1.000000e-05 : f64} : tensor<2x3x9xf32>, tensor<9xf32> -> tensor<2x3x9xf32>
  func.return %0 : tensor<2x3x9xf32>
}

// CHECK-LABEL: func.func @rms_norm_float(%x: tensor<2x3x9xf32>, %w: tensor<9xf32>) -> tensor<2x3x9xf32> {
// CHECK-NEXT:    %0 = graph.rms_norm %x, %w {epsilon = 1.000000e-05 : f64} : tensor<2x3x9xf32>, tensor<9xf32> -> tensor<2x3x9xf32>

func.func @layer_norm_float(%x: tensor<2x3x9xf32>, %w: tensor<9xf32>) -> tensor<2x3x9xf32> {
  %0 = graph.layer_norm %x, %w {epsilon = 1.000000e-05 : f64} : tensor<2x3x9xf32>, tensor<9xf32> -> tensor<2x3x9xf32>
  func.return %0 : tensor<2x3x9xf32>
}

// CHECK-LABEL: func.func @layer_norm_float(%x: tensor<2x3x9xf32>, %w: tensor<9xf32>) -> tensor<2x3x9xf32> {
// CHECK-NEXT:    %0 = graph.layer_norm %x, %w {epsilon = 1.000000e-05 : f64} : tensor<2x3x9xf32>, tensor<9xf32> -> tensor<2x3x9xf32>

func.func @layer_norm_float_bias(%x: tensor<6x9xf32>, %w: tensor<9xf32>, %b: tensor<9xf32>) -> tensor<6x9xf32> {
  %0 = graph.layer_norm %x, %w, %b : tensor<9xf32> {epsilon = 1.000000e-05 : f64} : tensor<6x9xf32>, tensor<9xf32> -> tensor<6x9xf32>
  func.return %0 : tensor<6x9xf32>
}

// CHECK-LABEL: func.func @layer_norm_float_bias(%x: tensor<6x9xf32>, %w: tensor<9xf32>, %b: tensor<9xf32>) -> tensor<6x9xf32> {
// CHECK-NEXT:    %0 = graph.layer_norm %x, %w, %b : tensor<9xf32> {epsilon = 1.000000e-05 : f64} : tensor<6x9xf32>, tensor<9xf32> -> tensor<6x9xf32>
