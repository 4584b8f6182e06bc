// RUN: %invalid | filecheck %s

// What the verifier of nests rejects.

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> {
  ^bb0(%a: tensor<4x8xsi8>):
    tiled.yield %a : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: 'tiled.nest' needs a body of graph ops and a tiled.yield

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
    %2 = arith.constant 1 : i32
    tiled.yield %1 : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: 'tiled.nest' needs a body of graph ops and a tiled.yield

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
    cluster.yield %1 : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: 'tiled.nest' terminates with operation cluster.yield instead of tiled.yield

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
    %2 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
    tiled.yield %1 : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: 'tiled.nest' must yield the results of its last op

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  tiled.nest ins(%x : tensor<4x8xsi8>)  {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
    tiled.yield %1 : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: 'tiled.nest' needs either results or outputs

// -----

func.func @network(%x: tensor<4x8xsi8>, %y: memref<4x8xsi8, #mem.level<"L1">>) {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) outs(%y : memref<4x8xsi8, #mem.level<"L1">>) -> tensor<4x8xsi8> {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
    tiled.yield %1 : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: 'tiled.nest' needs either results or outputs

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x, %x : tensor<4x8xsi8>, tensor<4x8xsi8>) -> tensor<4x8xsi8> {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
    tiled.yield %1 : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: 'tiled.nest' needs one body argument for each input

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x9xsi8> {
  ^bb0(%a: tensor<4x9xsi8>):
    %1 = graph.copy %a : tensor<4x9xsi8> -> tensor<4x9xsi8>
    tiled.yield %1 : tensor<4x9xsi8>
  }
  func.return
}

// CHECK: 'tiled.nest' has a body of other types than its operands

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> {
  ^bb0(%a: tensor<4x8xui8>):
    %1 = graph.copy %a : tensor<4x8xui8> -> tensor<4x8xui8>
    tiled.yield %1 : tensor<4x8xui8>
  }
  func.return
}

// CHECK: 'tiled.nest' has a body of other types than its operands

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> attributes {tile = array<i64: 2>, order = array<i64: 0>} {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
    tiled.yield %1 : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: 'tiled.nest' needs 2 tile sizes

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> attributes {tile = array<i64: 0, 8>, order = array<i64: 0>} {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
    tiled.yield %1 : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: tile size 0 of 'd0' is not 1 to 4

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> attributes {tile = array<i64: 4, 9>, order = array<i64>} {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
    tiled.yield %1 : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: tile size 9 of 'd1' is not 1 to 8

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> attributes {tile = array<i64: 2, 8>, order = array<i64: 1>} {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
    tiled.yield %1 : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: loop order must be a permutation of the cut iterators [0]

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> attributes {tile = array<i64: 2, 2>} {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
    tiled.yield %1 : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: loop order must be a permutation of the cut iterators [0, 1]

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> attributes {buffers = 3 : i64} {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
    tiled.yield %1 : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: 'tiled.nest' needs 1 or 2 buffers

// -----

// Sums cannot be cut.

func.func @network(%x: tensor<4x8xsi8>, %w: tensor<8x2xsi8>) {
  %0 = tiled.nest ins(%x, %w : tensor<4x8xsi8>, tensor<8x2xsi8>) -> tensor<4x2xsi32> attributes {tile = array<i64: 4, 2, 4>, order = array<i64: 2>} {
  ^bb0(%a: tensor<4x8xsi8>, %b: tensor<8x2xsi8>):
    %1 = graph.matmul %a, %b : tensor<4x8xsi8>, tensor<8x2xsi8> -> tensor<4x2xsi32>
    tiled.yield %1 : tensor<4x2xsi32>
  }
  func.return
}

// CHECK: iterator 'k' cannot be tiled

// -----

// Neither can the axis of a concatenation.

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x, %x : tensor<4x8xsi8>, tensor<4x8xsi8>) -> tensor<4x16xsi8> attributes {tile = array<i64: 4, 8>, order = array<i64: 1>} {
  ^bb0(%a: tensor<4x8xsi8>, %b: tensor<4x8xsi8>):
    %1 = graph.concat %a, %b {axis = 1} : tensor<4x8xsi8>, tensor<4x8xsi8> -> tensor<4x16xsi8>
    tiled.yield %1 : tensor<4x16xsi8>
  }
  func.return
}

// CHECK: iterator 'd1' cannot be tiled

// -----

// A tile of each value follows from the one op that reads it.

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.clip %a {min = 0, max = 9} : tensor<4x8xsi8> -> tensor<4x8xsi8>
    %2 = graph.add %1, %a : tensor<4x8xsi8>, tensor<4x8xsi8> -> tensor<4x8xsi8>
    tiled.yield %2 : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: 'tiled.nest' needs a body in which each value is read once

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x, %x : tensor<4x8xsi8>, tensor<4x8xsi8>) -> tensor<4x8xsi8> {
  ^bb0(%a: tensor<4x8xsi8>, %b: tensor<4x8xsi8>):
    %1 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
    tiled.yield %1 : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: 'tiled.nest' needs a body in which each value is read once

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.alternatives -> tensor<4x8xsi8> {
    tiled.yield %x : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: 'tiled.alternatives' needs regions of one tiled.nest and a tiled.yield

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.alternatives -> tensor<4x8xsi8> {
    %1 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> attributes {engine = "cluster"} {
    ^bb0(%a: tensor<4x8xsi8>):
      %9 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
      tiled.yield %9 : tensor<4x8xsi8>
    }
    tiled.yield %x : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: 'tiled.alternatives' must yield the results of its nests

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.alternatives -> tensor<32xsi8> {
    %1 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> attributes {engine = "cluster"} {
    ^bb0(%a: tensor<4x8xsi8>):
      %9 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
      tiled.yield %9 : tensor<4x8xsi8>
    }
    tiled.yield %1 : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: 'tiled.alternatives' has nests of other types than results

// -----

// A concatenation needs its axis whole, also where another op follows it.

func.func @network(%x: tensor<4x8xsi8>, %y: tensor<4x2xsi8>) {
  %0 = tiled.nest ins(%x, %y : tensor<4x8xsi8>, tensor<4x2xsi8>) -> tensor<4x10xsi8> attributes {tile = array<i64: 4, 5>, order = array<i64: 1>} {
  ^bb0(%a: tensor<4x8xsi8>, %b: tensor<4x2xsi8>):
    %1 = graph.concat %a, %b {axis = 1} : tensor<4x8xsi8>, tensor<4x2xsi8> -> tensor<4x10xsi8>
    %2 = graph.clip %1 {min = 0, max = 9} : tensor<4x10xsi8> -> tensor<4x10xsi8>
    tiled.yield %2 : tensor<4x10xsi8>
  }
  func.return
}

// CHECK: iterator 'd1' cannot be tiled

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<8x4xsi8> {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.transpose %a {tiled.view, permutation = array<i64: 1, 0>} : tensor<4x8xsi8> -> tensor<8x4xsi8>
    tiled.yield %1 : tensor<8x4xsi8>
  }
  func.return
}

// CHECK: 'tiled.nest' must compute its result, and all of it

// -----

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<4x8xsi8> {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.clip %a {tiled.view, min = 0, max = 9} : tensor<4x8xsi8> -> tensor<4x8xsi8>
    %2 = graph.copy %1 : tensor<4x8xsi8> -> tensor<4x8xsi8>
    tiled.yield %2 : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: 'tiled.nest' can see data through transposes and slices only

// -----

func.func @network(%x: tensor<1x8xsi8>, %y: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x, %y : tensor<1x8xsi8>, tensor<4x8xsi8>) -> tensor<4x8xsi8> {
  ^bb0(%a: tensor<1x8xsi8>, %b: tensor<4x8xsi8>):
    %1 = graph.insert %a into %b {tiled.view, axis = 0, offset = 1} : tensor<1x8xsi8> into tensor<4x8xsi8> -> tensor<4x8xsi8>
    %2 = graph.copy %1 : tensor<4x8xsi8> -> tensor<4x8xsi8>
    tiled.yield %2 : tensor<4x8xsi8>
  }
  func.return
}

// CHECK: 'tiled.nest' can see data through transposes and slices only

// -----

// There is nowhere to write what the slice leaves out.

func.func @network(%x: tensor<4x8xsi8>) {
  %0 = tiled.nest ins(%x : tensor<4x8xsi8>) -> tensor<2x8xsi8> {
  ^bb0(%a: tensor<4x8xsi8>):
    %1 = graph.copy %a : tensor<4x8xsi8> -> tensor<4x8xsi8>
    %2 = graph.slice %1 {tiled.view, starts = array<i64: 0, 0>, steps = array<i64: 1, 1>} : tensor<4x8xsi8> -> tensor<2x8xsi8>
    tiled.yield %2 : tensor<2x8xsi8>
  }
  func.return
}

// CHECK: 'tiled.nest' must compute its result, and all of it

// -----

// Four groups of input channels, added up part by part.

func.func @network(%x: tensor<4x128xsi8>, %w: tensor<6x128xui8>) {
  %0 = tiled.nest ins(%x, %w : tensor<4x128xsi8>, tensor<6x128xui8>) -> tensor<4x6xsi32> attributes {engine = "neureka", tile = array<i64: 1, 1, 2, 6, 1, 1, 2, 32, 32>, order = array<i64: 6, 2>} {
  ^bb0(%a: tensor<4x128xsi8>, %b: tensor<6x128xui8>):
    %1 = npu.conv %a, %b {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128} : tensor<4x128xsi8>, tensor<6x128xui8> -> tensor<4x6xsi32>
    tiled.yield %1 : tensor<4x6xsi32>
  }
  func.return
}

// CHECK: 'tiled.nest' adds up parts of sums in its innermost loop

// -----

func.func @network(%x: tensor<4x128xsi8>, %w: tensor<6x128xui8>) {
  %0 = tiled.nest ins(%x, %w : tensor<4x128xsi8>, tensor<6x128xui8>) -> tensor<4x6xsi32> attributes {engine = "neureka", tile = array<i64: 1, 1, 4, 6, 1, 1, 3, 32, 32>, order = array<i64: 6>} {
  ^bb0(%a: tensor<4x128xsi8>, %b: tensor<6x128xui8>):
    %1 = npu.conv %a, %b {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128} : tensor<4x128xsi8>, tensor<6x128xui8> -> tensor<4x6xsi32>
    tiled.yield %1 : tensor<4x6xsi32>
  }
  func.return
}

// CHECK: 'tiled.nest' needs equal parts of 'g'
