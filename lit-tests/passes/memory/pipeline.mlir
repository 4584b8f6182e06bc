// RUN: deeploy-opt %s -p pipeline | filecheck %s

// Three tiles through two slots each. Before: load, wait, compute, store, wait.

func.func @network(%x: memref<3x4xsi8, #mem.level<"L2">>, %y: memref<3x4xsi8, #mem.level<"L2">>, %x_tile: memref<2x4xsi8, #mem.level<"L1">>, %y_tile: memref<2x4xsi8, #mem.level<"L1">>) {
  %load = dma.channel
  %store = dma.channel
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  %three = arith.constant 3 : index
  scf.for %tile = %zero to %three step %one {
    %slot = arith.remui %tile, %two : index
    %x_1 = memref.subview %x[%tile, 0] [1, 4] [1, 1] : memref<3x4xsi8, #mem.level<"L2">> to memref<1x4xsi8, strided<[4, 1], offset: ?>, #mem.level<"L2">>
    %x_2 = memref.subview %x_tile[%slot, 0] [1, 4] [1, 1] : memref<2x4xsi8, #mem.level<"L1">> to memref<1x4xsi8, strided<[4, 1], offset: ?>, #mem.level<"L1">>
    dma.start %x_1 to %x_2 on %load : memref<1x4xsi8, strided<[4, 1], offset: ?>, #mem.level<"L2">> to memref<1x4xsi8, strided<[4, 1], offset: ?>, #mem.level<"L1">>
    dma.wait %load
    %y_2 = memref.subview %y_tile[%slot, 0] [1, 4] [1, 1] : memref<2x4xsi8, #mem.level<"L1">> to memref<1x4xsi8, strided<[4, 1], offset: ?>, #mem.level<"L1">>
    cluster.call "dpl_copy_8" of "cluster" ins(%x_2 : memref<1x4xsi8, strided<[4, 1], offset: ?>, #mem.level<"L1">>) outs(%y_2 : memref<1x4xsi8, strided<[4, 1], offset: ?>, #mem.level<"L1">>) overhang [] {
    ^bb0(%a: tensor<3x4xsi8>):
      %0 = graph.copy %a : tensor<3x4xsi8> -> tensor<3x4xsi8>
      cluster.yield %0 : tensor<3x4xsi8>
    }
    %y_1 = memref.subview %y[%tile, 0] [1, 4] [1, 1] : memref<3x4xsi8, #mem.level<"L2">> to memref<1x4xsi8, strided<[4, 1], offset: ?>, #mem.level<"L2">>
    dma.start %y_2 to %y_1 on %store : memref<1x4xsi8, strided<[4, 1], offset: ?>, #mem.level<"L1">> to memref<1x4xsi8, strided<[4, 1], offset: ?>, #mem.level<"L2">>
    dma.wait %store
  } {tiled.double_buffered}
  func.return
}

// The first tile is loaded before the loop, from its slot.

// CHECK:      %slot = arith.remui %zero, %two : index
// CHECK-NEXT: %x_1 = memref.subview %x[%zero, 0] [1, 4]
// CHECK-NEXT: %x_2 = memref.subview %x_tile[%slot, 0] [1, 4]
// CHECK-NEXT: dma.start %x_1 to %x_2 on %load

// In the loop the next one is loaded, if there is one, while this one is computed.

// CHECK-NEXT: scf.for %tile = %zero to %three step %one {
// CHECK:        dma.wait %load
// CHECK-NEXT:   %next = arith.addi %tile, %one : index
// CHECK-NEXT:   [[EXISTS:%.+]] = arith.cmpi slt, %next, %three : index
// CHECK-NEXT:   scf.if [[EXISTS]] {
// CHECK-NEXT:     [[SLOT:%.+]] = arith.remui %next, %two : index
// CHECK-NEXT:     [[FROM:%.+]] = memref.subview %x[%next, 0] [1, 4]
// CHECK-NEXT:     [[TO:%.+]] = memref.subview %x_tile{{\[}}[[SLOT]], 0] [1, 4]
// CHECK-NEXT:     dma.start [[FROM]] to [[TO]] on %load
// CHECK-NEXT:   }
// CHECK:        cluster.call

// The store of a tile is awaited before that of the next one, and after the loop.

// CHECK:        dma.wait %store
// CHECK-NEXT:   dma.start {{.+}} on %store
// CHECK-NEXT: }
// CHECK-NEXT: dma.wait %store
// CHECK-NEXT: func.return
