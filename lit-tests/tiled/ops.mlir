// RUN: %roundtrip
// RUN: %generic_roundtrip

// Nests: without a plan, with one, and writing into buffers.

func.func @unplanned(%x: tensor<4x8xsi8>) -> tensor<4x8xsi8> {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
    tiled.yield %1 : tensor<4x8xsi8>
  }
  func.return %0 : tensor<4x8xsi8>
}

// CHECK-LABEL: func.func @unplanned
// CHECK-NEXT:    %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> {
// CHECK-NEXT:    ^bb0(%a: tensor<4x8xsi8>):
// CHECK-NEXT:      %1 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
// CHECK-NEXT:      tiled.yield %1 : tensor<4x8xsi8>
// CHECK-NEXT:    }

func.func @planned(%x: tensor<4x8xsi8>) -> tensor<4x8xsi8> {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> attributes {engine = "cluster", tile = array<i64: 2, 3>, order = array<i64: 1, 0>, buffers = 2 : i64, scratch = 0 : i64, cycles = 99 : i64, homes = ["L2"], offsets = array<i64: 32>} {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
    tiled.yield %1 : tensor<4x8xsi8>
  }
  func.return %0 : tensor<4x8xsi8>
}

// CHECK-LABEL: func.func @planned
// CHECK-NEXT:    %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> attributes {engine = "cluster", tile = array<i64: 2, 3>, order = array<i64: 1, 0>, buffers = 2 : i64, scratch = 0 : i64, cycles = 99 : i64, homes = ["L2"], offsets = array<i64: 32>} {

func.func @buffers(%x: memref<4x8xsi8, #mem.level<"L2">>, %y: memref<4x8xsi8, #mem.level<"L1">>) {
  tiled.nest ins(%x : memref<4x8xsi8, #mem.level<"L2">>) outs(%y : memref<4x8xsi8, #mem.level<"L1">>) {
  ^bb0(%a: tensor<4x8xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x8xsi8> -> tensor<4x8xsi8>
    %1 = graph.copy %0 : tensor<4x8xsi8> -> tensor<4x8xsi8>
    tiled.yield %1 : tensor<4x8xsi8>
  }
  func.return
}

// CHECK-LABEL: func.func @buffers
// CHECK-NEXT:    tiled.nest ins(%x : memref<4x8xsi8, #mem.level<"L2">>) outs(%y : memref<4x8xsi8, #mem.level<"L1">>) {
// CHECK-NEXT:    ^bb0(%a: tensor<4x8xsi8>):
// CHECK-NEXT:      %0 = graph.clip %a {min = 0 : i64, max = 9 : i64} : tensor<4x8xsi8> -> tensor<4x8xsi8>
// CHECK-NEXT:      %1 = graph.copy %0 : tensor<4x8xsi8> -> tensor<4x8xsi8>
// CHECK-NEXT:      tiled.yield %1 : tensor<4x8xsi8>

func.func @alternatives(%x: tensor<4x8xsi8>) -> tensor<4x8xsi8> {
  %0 = tiled.alternatives -> tensor<4x8xsi8> {
    %1 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> attributes {engine = "cluster"} {
    ^bb0(%a: tensor<4x8xsi8>):
      %9 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
      tiled.yield %9 : tensor<4x8xsi8>
    }
    tiled.yield %1 : tensor<4x8xsi8>
  } or {
    %2 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> attributes {engine = "other"} {
    ^bb0(%a: tensor<4x8xsi8>):
      %9 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
      tiled.yield %9 : tensor<4x8xsi8>
    }
    tiled.yield %2 : tensor<4x8xsi8>
  }
  func.return %0 : tensor<4x8xsi8>
}

// CHECK-LABEL: func.func @alternatives
// CHECK-NEXT:    %0 = tiled.alternatives -> tensor<4x8xsi8> {
// CHECK-NEXT:      %1 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> attributes {engine = "cluster"} {
// CHECK:           tiled.yield %1 : tensor<4x8xsi8>
// CHECK-NEXT:    } or {
// CHECK-NEXT:      %2 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> attributes {engine = "other"} {
// CHECK:           tiled.yield %2 : tensor<4x8xsi8>
// CHECK-NEXT:    }

// A transpose that is a view of what the other op reads.

func.func @views(%x: tensor<4x8xsi8>) -> tensor<8x4xsi8> {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<8x4xsi8> {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.transpose %a {tiled.view, permutation = array<i64: 1, 0>} : tensor<4x8xsi8> -> tensor<8x4xsi8>
    %2 = graph.copy %1 : tensor<8x4xsi8> -> tensor<8x4xsi8>
    tiled.yield %2 : tensor<8x4xsi8>
  }
  func.return %0 : tensor<8x4xsi8>
}

// CHECK-LABEL: func.func @views
// CHECK-NEXT:    %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<8x4xsi8> {
// CHECK-NEXT:    ^bb0(%a: tensor<4x8xsi8>):
// CHECK-NEXT:      %1 = graph.transpose %a {tiled.view, permutation = array<i64: 1, 0>} : tensor<4x8xsi8> -> tensor<8x4xsi8>
// CHECK-NEXT:      %2 = graph.copy %1
// CHECK-NEXT:      tiled.yield %2 : tensor<8x4xsi8>
