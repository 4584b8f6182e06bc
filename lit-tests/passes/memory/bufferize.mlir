// RUN: deeploy-opt %s --split-input-file -p 'set-target{target=host},bufferize' | filecheck %s

// Tensors become buffers in the homes of the plan, at its addresses; a reshape is another view of
// the same bytes; nests write into buffers that are allocated before them.

func.func @network(%x: tensor<4x6xsi8> {mem.home = "L2", mem.offset = 64 : i64}) -> tensor<24xsi8> {
  %w = graph.constant {mem.home = "L2", mem.offset = 0 : i64} dense<1> : tensor<6xsi8>
  %y = tiled.nest ins(%x : tensor<4x6xsi8>) -> tensor<4x6xsi8> attributes {engine = "cluster", homes = ["L1"], offsets = array<i64: 0>} {
  ^bb0(%a: tensor<4x6xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x6xsi8> -> tensor<4x6xsi8>
    tiled.yield %0 : tensor<4x6xsi8>
  }
  %z = graph.reshape %y : tensor<4x6xsi8> -> tensor<24xsi8>
  func.return %z : tensor<24xsi8>
}

// CHECK:      func.func @network(%x: memref<4x6xsi8, #mem.level<"L2">> {mem.home = "L2", mem.offset = 64 : i64}) -> memref<24xsi8, #mem.level<"L1">> {
// CHECK-NEXT:   %w = mem.constant at 0 dense<1> : tensor<6xsi8> -> memref<6xsi8, #mem.level<"L2">>
// CHECK-NEXT:   %y = memref.alloc() {mem.offset = 0 : i64} : memref<4x6xsi8, #mem.level<"L1">>
// CHECK-NEXT:   tiled.nest ins(%x : memref<4x6xsi8, #mem.level<"L2">>) outs(%y : memref<4x6xsi8, #mem.level<"L1">>) attributes {engine = "cluster"} {
// CHECK-NEXT:   ^bb0(%a: tensor<4x6xsi8>):
// CHECK-NEXT:     %0 = graph.clip %a {min = 0 : i64, max = 9 : i64} : tensor<4x6xsi8> -> tensor<4x6xsi8>
// CHECK-NEXT:     tiled.yield %0 : tensor<4x6xsi8>
// CHECK-NEXT:   }
// CHECK-NEXT:   %z = mem.reshape %y : memref<4x6xsi8, #mem.level<"L1">> -> memref<24xsi8, #mem.level<"L1">>
// CHECK-NEXT:   func.return %z : memref<24xsi8, #mem.level<"L1">>

// -----

// Without a plan: inputs, outputs and constants in the memories that the target has for them.

func.func @network(%x: tensor<4xsi8>) -> (tensor<4xsi8>, tensor<2xsi8>) {
  %w = graph.constant dense<1> : tensor<2xsi8>
  %y = tiled.nest ins(%x : tensor<4xsi8>) -> tensor<4xsi8> {
  ^bb0(%a: tensor<4xsi8>):
    %0 = graph.copy %a : tensor<4xsi8> -> tensor<4xsi8>
    tiled.yield %0 : tensor<4xsi8>
  }
  func.return %y, %w : tensor<4xsi8>, tensor<2xsi8>
}

// CHECK:      func.func @network(%x: memref<4xsi8, #mem.level<"L2">>) -> (memref<4xsi8, #mem.level<"L2">>, memref<2xsi8, #mem.level<"L2">>) {
// CHECK-NEXT:   %w = mem.constant dense<1> : tensor<2xsi8> -> memref<2xsi8, #mem.level<"L2">>
// CHECK-NEXT:   %y = memref.alloc() : memref<4xsi8, #mem.level<"L2">>
