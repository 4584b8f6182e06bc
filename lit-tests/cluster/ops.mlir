// RUN: %roundtrip
// RUN: %generic_roundtrip

// Kernel calls: on whole tensors; on tiles, with scratch, and an overhang known only at run time.

func.func @whole(%x: memref<4xsi8, #mem.level<"L1">>, %y: memref<4xsi8, #mem.level<"L1">>) {
  cluster.call "dpl_copy_8" of "cluster" ins(%x : memref<4xsi8, #mem.level<"L1">>) outs(%y : memref<4xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%a: tensor<4xsi8>):
    %0 = graph.copy %a : tensor<4xsi8> -> tensor<4xsi8>
    cluster.yield %0 : tensor<4xsi8>
  }
  cluster.barrier
  func.return
}

// CHECK-LABEL: func.func @whole
// CHECK-NEXT:    cluster.call "dpl_copy_8" of "cluster" ins(%x : memref<4xsi8, #mem.level<"L1">>) outs(%y : memref<4xsi8, #mem.level<"L1">>) overhang [] {
// CHECK-NEXT:    ^bb0(%a: tensor<4xsi8>):
// CHECK-NEXT:      %0 = graph.copy %a : tensor<4xsi8> -> tensor<4xsi8>
// CHECK-NEXT:      cluster.yield %0 : tensor<4xsi8>
// CHECK-NEXT:    }
// CHECK-NEXT:    cluster.barrier

func.func @tile(%x: memref<?xsi8, strided<[1]>, #mem.level<"L1">>, %y: memref<3xsi8, #mem.level<"L1">>, %s: memref<64xi8, #mem.level<"L1">>, %high: index) {
  cluster.call "dpl_pad_8" of "cluster" ins(%x : memref<?xsi8, strided<[1]>, #mem.level<"L1">>) outs(%y : memref<3xsi8, #mem.level<"L1">>) scratch(%s : memref<64xi8, #mem.level<"L1">>) overhang [1, %high] attributes {note = "kept"} {
  ^bb0(%a: tensor<4xsi8>):
    %0 = graph.pad %a {low = array<i64: 1>, high = array<i64: 1>, value = 0} : tensor<4xsi8> -> tensor<6xsi8>
    cluster.yield %0 : tensor<6xsi8>
  }
  func.return
}

// CHECK-LABEL: func.func @tile
// CHECK-NEXT:    cluster.call "dpl_pad_8" of "cluster" ins(%x : memref<?xsi8, strided<[1]>, #mem.level<"L1">>) outs(%y : memref<3xsi8, #mem.level<"L1">>) scratch(%s : memref<64xi8, #mem.level<"L1">>) overhang [1, %high] attributes {note = "kept"} {
