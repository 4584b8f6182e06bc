// RUN: deeploy-opt %s --split-input-file -p 'set-target{target=siracusa sizes="L1=4000"},split-reductions' --check-semantics | filecheck %s
// RUN: deeploy-opt %s --split-input-file --verify-diagnostics -p split-reductions | filecheck %s --check-prefix=TARGET

// TARGET: the module has no target; run 'set-target{target=…}' first

// 48 kB: rows of 256 bytes fit, images of 16 kB do not.

func.func @mean(%x: tensor<1x3x64x64xf32>) -> tensor<1x1x1x1xf32> {
  %0 = graph.reduce "mean" %x {axes = array<i64: 0, 1, 2, 3>} : tensor<1x3x64x64xf32> -> tensor<1x1x1x1xf32>
  func.return %0 : tensor<1x1x1x1xf32>
}

// CHECK-LABEL: func.func @mean
// CHECK-NEXT:    %0 = graph.reduce "mean" %x {axes = array<i64: 3>} : tensor<1x3x64x64xf32> -> tensor<1x3x64x1xf32>
// CHECK-NEXT:    %1 = graph.reduce "mean" %0 {axes = array<i64: 0, 1, 2>} : tensor<1x3x64x1xf32> -> tensor<1x1x1x1xf32>
// CHECK-NEXT:    func.return %1

// -----

// Sums of bytes are 32 bits wide in between.

func.func @sum(%x: tensor<4x64x64xsi8>) -> tensor<4x1x1xsi32> {
  %0 = graph.reduce "sum" %x {axes = array<i64: 2, 1>} : tensor<4x64x64xsi8> -> tensor<4x1x1xsi32>
  func.return %0 : tensor<4x1x1xsi32>
}

// CHECK-LABEL: func.func @sum
// CHECK-NEXT:    graph.reduce "sum" %x {axes = array<i64: 2>} : tensor<4x64x64xsi8> -> tensor<4x64x1xsi32>
// CHECK-NEXT:    graph.reduce "sum" {{.*}} {axes = array<i64: 1>} : tensor<4x64x1xsi32> -> tensor<4x1x1xsi32>

// -----

// These stay: what fits, one axis, and what is rounded once.

func.func @others(%x: tensor<64x8x8xf32>, %y: tensor<5000xf32>, %z: tensor<64x64xsi8>) -> (tensor<64x1x1xf32>, tensor<1xf32>, tensor<1x1xsi8>) {
  %0 = graph.reduce "max" %x {axes = array<i64: 1, 2>} : tensor<64x8x8xf32> -> tensor<64x1x1xf32>
  %1 = graph.reduce "max" %y {axes = array<i64: 0>} : tensor<5000xf32> -> tensor<1xf32>
  %2 = graph.reduce "mean" %z {axes = array<i64: 0, 1>} : tensor<64x64xsi8> -> tensor<1x1xsi8>
  func.return %0, %1, %2 : tensor<64x1x1xf32>, tensor<1xf32>, tensor<1x1xsi8>
}

// CHECK-LABEL: func.func @others
// CHECK-COUNT-3: graph.reduce
// CHECK-NOT:     graph.reduce
