// RUN: deeploy-opt %s -p 'set-target{target=siracusa},place,form-nests,fuse-nests,offer-engines' --check-semantics --elide-resources | filecheck %s
// RUN: deeploy-opt %s -p 'set-target{target=siracusa engines=cluster},place,form-nests,fuse-nests,offer-engines' | filecheck %s --check-prefix=CORES
// RUN: deeploy-opt %s -p 'set-target{target=siracusa},place,form-nests,fuse-nests,offer-engines,plan,check-plan' --elide-resources | filecheck %s --check-prefix=PLAN

// A product with constant weights may run on the accelerator, with weights packed for it: 4 bits,
// as they are small. The addition that is fused with it stays on the cores.

func.func @linear(%x: tensor<4x64xsi8>, %r: tensor<4x32xsi8>) -> tensor<4x32xsi8> {
  %w = graph.constant dense<-3> : tensor<32x64xsi8>
  %y = graph.matmul %x, %w {transpose_rhs, requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<4x64xsi8>, tensor<32x64xsi8> -> tensor<4x32xsi8>
  %z = graph.add %y, %r {requant = #graph.requant<mul = 1, add = 0, shift = 1, min = -128, max = 127>} : tensor<4x32xsi8>, tensor<4x32xsi8> -> tensor<4x32xsi8>
  func.return %z : tensor<4x32xsi8>
}

// CHECK-LABEL: func.func @linear
// CHECK:       %w.packed = graph.constant {{.*}} : tensor<32x64xui8>
// CHECK-NEXT:  %w.scale = graph.constant {{.*}} : tensor<32xui8>
// CHECK-NEXT:  %w.bias = graph.constant {{.*}} : tensor<32xsi32>
// CHECK-NEXT:  %z = tiled.alternatives -> tensor<4x32xsi8> {
// CHECK:         tiled.nest ins(%x, %w, %r : {{.*}} attributes {engine = "cluster"} {
// CHECK:           graph.matmul
// CHECK:           graph.add
// CHECK:       } or {
// CHECK:         tiled.nest ins(%x, %w.packed, %w.scale, %w.bias, %r : {{.*}} attributes {engine = "cluster"} {
// CHECK:           npu.conv {{.*}} {engine = "neureka", mode = "pointwise", {{.*}} weight_bits = 2 : i64, weight_offset = -3 : i64,
// CHECK:           graph.add

// CORES-LABEL: func.func @linear
// CORES-NOT:   tiled.alternatives

// PLAN-LABEL: func.func @linear
// PLAN-NOT:   graph.constant {{.*}} tensor<32x64xsi8>
// PLAN:       %w.packed = graph.constant {mem.home = "WMEM"
// PLAN-NOT:   tiled.alternatives

// A cache is extended in place: nobody else is asked, and that is what is told.

func.func @cache(%past: tensor<1x4x8xsi8> {graph.state}, %row: tensor<1x1x8xsi8>) -> tensor<1x4x8xsi8> {
  %0 = graph.insert %row into %past {axis = 1 : i64, offset = 3 : i64} : tensor<1x1x8xsi8> into tensor<1x4x8xsi8> -> tensor<1x4x8xsi8>
  func.return %0 : tensor<1x4x8xsi8>
}

// CHECK-LABEL: func.func @cache
// CHECK:       graph.insert {{.*}} {declined = {neureka = "a nest that extends a cache in place"},

// Two products of one input: the accelerator may compute both, or either beside the other.

func.func @gated(%x: tensor<1x64xsi8>) -> tensor<1x32xsi8> {
  %v = graph.constant dense<-3> : tensor<32x64xsi8>
  %w = graph.constant dense<100> : tensor<32x64xsi8>
  %a = graph.matmul %x, %v {transpose_rhs, requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<1x64xsi8>, tensor<32x64xsi8> -> tensor<1x32xsi8>
  %b = graph.matmul %x, %w {transpose_rhs, requant = #graph.requant<mul = 3, add = 16, shift = 5, min = -128, max = 127>} : tensor<1x64xsi8>, tensor<32x64xsi8> -> tensor<1x32xsi8>
  %z = graph.mul %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 7, min = -128, max = 127>} : tensor<1x32xsi8>, tensor<1x32xsi8> -> tensor<1x32xsi8>
  func.return %z : tensor<1x32xsi8>
}

// CHECK-LABEL: func.func @gated
// CHECK:       %z = tiled.alternatives
// CHECK:           graph.matmul
// CHECK:           graph.matmul
// CHECK:           graph.mul
// CHECK:       } or {
// CHECK:           npu.conv
// CHECK:           npu.conv
// CHECK:           graph.mul
// CHECK:       } or {
// CHECK:           npu.conv
// CHECK:           graph.matmul
// CHECK:           graph.mul
// CHECK:       } or {
// CHECK:           graph.matmul
// CHECK:           npu.conv
// CHECK:           graph.mul

// What the accelerator does not take says why.

func.func @declined(%x: tensor<4x64xsi8>, %w: tensor<64x4xsi8>) -> tensor<4x4xsi32> {
  %y = graph.matmul %x, %w : tensor<4x64xsi8>, tensor<64x4xsi8> -> tensor<4x4xsi32>
  func.return %y : tensor<4x4xsi32>
}

// CHECK-LABEL: func.func @declined
// CHECK-NOT:   tiled.alternatives
// CHECK:       graph.matmul {{.*}}declined = {neureka = "its weights are no constant"}

// Windows that it does not know are gathered by the cores.

func.func @strided(%x: tensor<1x9x9x8xui8>) -> tensor<1x4x4x16xsi32> {
  %w = graph.constant dense<100> : tensor<16x3x3x8xsi8>
  %y = graph.conv %x, %w {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 1, channels_last} : tensor<1x9x9x8xui8>, tensor<16x3x3x8xsi8> -> tensor<1x4x4x16xsi32>
  func.return %y : tensor<1x4x4x16xsi32>
}

// CHECK-LABEL: func.func @strided
// CHECK:       } or {
// CHECK:         tiled.nest ins(%x, %w.packed : {{.*}} attributes {engine = "neureka"} {
// CHECK:           graph.im2col {{.*}}kernel = array<i64: 3, 3>{{.*}} -> tensor<1x4x4x72xui8>
// CHECK:           npu.conv {{.*}}mode = "pointwise"

// A depthwise convolution with strides computes all pixels, of which the cores take some; they clamp
// to less than the whole range too. The row of three weights is framed by zeros, and a negative
// factor becomes that of the weights.

func.func @picked(%x: tensor<1x9x9x2xui8>) -> tensor<1x5x4x2xsi8> {
  %w = graph.constant dense<[[[1, 2], [3, 4], [5, 6]]]> : tensor<1x3x2xsi8>
  %m = graph.constant dense<[7, -9]> : tensor<2xsi32>
  %y = graph.depthwise_conv %x, %w mul %m : tensor<2xsi32> {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, channels_last, requant = #graph.requant<mul = 1, add = 0, shift = 5, min = 0, max = 100>} : tensor<1x9x9x2xui8>, tensor<1x3x2xsi8> -> tensor<1x5x4x2xsi8>
  func.return %y : tensor<1x5x4x2xsi8>
}

// CHECK-LABEL: func.func @picked
// CHECK:       %w.scale = graph.constant dense<[7, 9]> : tensor<2xui8>
// CHECK:       } or {
// CHECK:         tiled.nest ins(%x, %w.packed, %w.scale, %w.bias : {{.*}} attributes {engine = "neureka"} {
// CHECK:           npu.conv {{.*}}mode = "depthwise", strides = array<i64: 1, 1>, pads = array<i64: 1, 0, 1, 0>, weight_bits = 4 : i64, weight_offset = -6 : i64, requant = #graph.requant<mul = 1, add = 0, shift = 5, min = -128, max = 127>{{.*}} -> tensor<1x9x7x2xsi8>
// CHECK-NEXT:      graph.slice {{.*}}steps = array<i64: 1, 2, 2, 1>{{.*}} -> tensor<1x5x4x2xsi8>
// CHECK-NEXT:      graph.clip {{.*}}min = 0 : i64, max = 100 : i64

// Weights that would take 9 bits with the signs of their factors keep theirs: the cores requantise.

func.func @too_wide(%x: tensor<4x2xsi8>) -> tensor<4x2xsi8> {
  %w = graph.constant dense<[[-128, 0], [-128, 127]]> : tensor<2x2xsi8>
  %m = graph.constant dense<[5, -5]> : tensor<2xsi32>
  %y = graph.matmul %x, %w mul %m : tensor<2xsi32> {transpose_rhs, requant = #graph.requant<mul = 1, add = 16, shift = 5, min = -128, max = 127>} : tensor<4x2xsi8>, tensor<2x2xsi8> -> tensor<4x2xsi8>
  func.return %y : tensor<4x2xsi8>
}

// CHECK-LABEL: func.func @too_wide
// CHECK:       } or {
// CHECK:         tiled.nest ins(%x, %w.packed, %m : {{.*}} attributes {engine = "neureka"} {
// CHECK:           npu.conv {{.*}}weight_bits = 8 : i64, weight_offset = -128 : i64{{.*}} -> tensor<4x2xsi32>
// CHECK-NEXT:      graph.requant {{.*}} {engine = "cluster"

// Long sums may be added up in parts, which the cores requantise.

func.func @long(%x: tensor<4x1024xsi8>) -> tensor<4x32xsi8> {
  %w = graph.constant dense<-3> : tensor<32x1024xsi8>
  %y = graph.matmul %x, %w {transpose_rhs, requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<4x1024xsi8>, tensor<32x1024xsi8> -> tensor<4x32xsi8>
  func.return %y : tensor<4x32xsi8>
}

// CHECK-LABEL: func.func @long
// CHECK:       } or {
// CHECK:           npu.conv {{.*}}requant
// CHECK:       } or {
// CHECK:           npu.conv {{.*}} -> tensor<4x32xsi32>
// CHECK-NEXT:      graph.requant {{.*}}mul = 5, add = 16, shift = 5{{.*}} : tensor<4x32xsi32> -> tensor<4x32xsi8>
