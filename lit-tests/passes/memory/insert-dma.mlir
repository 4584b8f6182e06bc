// RUN: deeploy-opt %s -p 'set-target{target=host},insert-dma' | filecheck %s

// Copies become transfers on two channels. One wait for all loads before the next kernel; what is
// loaded before a loop is awaited by the first wait in it; stores are awaited at once.

func.func @network(%x: memref<2x4xsi8, #mem.level<"L2">>, %w: memref<1x4xsi8, #mem.level<"L2">>, %y: memref<2x4xsi32, #mem.level<"L2">>) {
  %x_tile = memref.alloc() : memref<1x4xsi8, #mem.level<"L1">>
  %w_tile = memref.alloc() : memref<1x4xsi8, #mem.level<"L1">>
  %y_tile = memref.alloc() : memref<1x4xsi32, #mem.level<"L1">>
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  "memref.copy"(%w, %w_tile) : (memref<1x4xsi8, #mem.level<"L2">>, memref<1x4xsi8, #mem.level<"L1">>) -> ()
  scf.for %tile = %zero to %two step %one {
    %x_1 = memref.subview %x[%tile, 0] [1, 4] [1, 1] : memref<2x4xsi8, #mem.level<"L2">> to memref<1x4xsi8, strided<[4, 1], offset: ?>, #mem.level<"L2">>
    "memref.copy"(%x_1, %x_tile) : (memref<1x4xsi8, strided<[4, 1], offset: ?>, #mem.level<"L2">>, memref<1x4xsi8, #mem.level<"L1">>) -> ()
    cluster.call "dpl_add_s8_s8_s32" of "cluster" ins(%x_tile, %w_tile : memref<1x4xsi8, #mem.level<"L1">>, memref<1x4xsi8, #mem.level<"L1">>) outs(%y_tile : memref<1x4xsi32, #mem.level<"L1">>) overhang [] {
    ^bb0(%a: tensor<2x4xsi8>, %b: tensor<1x4xsi8>):
      %0 = graph.add %a, %b : tensor<2x4xsi8>, tensor<1x4xsi8> -> tensor<2x4xsi32>
      cluster.yield %0 : tensor<2x4xsi32>
    }
    %y_1 = memref.subview %y[%tile, 0] [1, 4] [1, 1] : memref<2x4xsi32, #mem.level<"L2">> to memref<1x4xsi32, strided<[4, 1], offset: ?>, #mem.level<"L2">>
    "memref.copy"(%y_tile, %y_1) : (memref<1x4xsi32, #mem.level<"L1">>, memref<1x4xsi32, strided<[4, 1], offset: ?>, #mem.level<"L2">>) -> ()
  }
  func.return
}

// CHECK:      %load = dma.channel
// CHECK-NEXT: %store = dma.channel
// CHECK:      dma.start %w to %w_tile on %load
// CHECK-NEXT: scf.for
// CHECK:        dma.start %x_1 to %x_tile on %load
// CHECK-NEXT:   dma.wait %load
// CHECK-NEXT:   cluster.call
// CHECK:        dma.start %y_tile to %y_1 on %store
// CHECK-NEXT:   dma.wait %store
// CHECK-NEXT: }
// CHECK-NEXT: func.return
