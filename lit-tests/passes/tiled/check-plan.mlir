// RUN: deeploy-opt %s -p 'set-target{target=host sizes="L1=112","L2=256"},check-plan' | filecheck %s

// A plan written by hand that fills both memories to the last byte. %y takes the place of %x, which
// nobody reads any more, and the tiles of both nests share L1 with what lies between them.

func.func @network(%x: tensor<4x16xsi8> {mem.home = "L2", mem.offset = 192 : i64}) -> tensor<4x16xsi8> {
  %w = graph.constant {mem.home = "L2", mem.offset = 0 : i64} dense<1> : tensor<4x16xsi8>
  %m = tiled.nest ins(%x : tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 2 : i64, scratch = 64 : i64, homes = ["L1"], offsets = array<i64: 0>} {
  ^bb0(%a: tensor<4x16xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("first")
  %y = tiled.nest ins(%m, %w : tensor<4x16xsi8>, tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 1 : i64, scratch = 80 : i64, homes = ["L2"], offsets = array<i64: 192>} {
  ^bb0(%a: tensor<4x16xsi8>, %b: tensor<4x16xsi8>):
    %0 = graph.add %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x16xsi8>, tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("second")
  func.return %y : tensor<4x16xsi8>
}

// CHECK:      %m = tiled.nest ins(%x
// CHECK-SAME: scratch = 64 : i64, homes = ["L1"], offsets = array<i64: 0>
// CHECK:      %y = tiled.nest ins(%m, %w
// CHECK-SAME: scratch = 80 : i64, homes = ["L2"], offsets = array<i64: 192>
