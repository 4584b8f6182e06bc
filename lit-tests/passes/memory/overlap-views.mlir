// RUN: deeploy-opt %s --split-input-file -p overlap | filecheck %s

// The second load may pass the kernel: what that sees through a view lies elsewhere.

func.func @elsewhere(%x: memref<4xsi8, #mem.level<"L2">> {mem.offset = 0 : i64}) {
  %load = dma.channel
  %a = mem.buffer at 0 : memref<2x2xsi8, #mem.level<"L1">>
  %b = mem.buffer at 4 : memref<2x2xsi8, #mem.level<"L1">>
  %c = mem.buffer at 8 : memref<4xsi8, #mem.level<"L1">>
  %t = mem.view %a[] : memref<2x2xsi8, #mem.level<"L1">> -> memref<2x2xsi8, strided<[1, 2]>, #mem.level<"L1">>
  cluster.call "dpl_copy_8" of "cluster" ins(%t : memref<2x2xsi8, strided<[1, 2]>, #mem.level<"L1">>) outs(%b : memref<2x2xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%v: tensor<2x2xsi8>):
    %0 = graph.copy %v : tensor<2x2xsi8> -> tensor<2x2xsi8>
    cluster.yield %0 : tensor<2x2xsi8>
  }
  dma.start %x to %c on %load : memref<4xsi8, #mem.level<"L2">> to memref<4xsi8, #mem.level<"L1">>
  dma.wait %load
  func.return
}

// CHECK-LABEL: @elsewhere
// CHECK:         dma.start %x to %c on %load
// CHECK-NEXT:    cluster.call
// CHECK:         }
// CHECK-NEXT:    dma.wait %load

// -----

// Here it would overwrite what the kernel sees.

func.func @seen(%x: memref<4xsi8, #mem.level<"L2">> {mem.offset = 0 : i64}) {
  %load = dma.channel
  %a = mem.buffer at 0 : memref<2x2xsi8, #mem.level<"L1">>
  %b = mem.buffer at 4 : memref<2x2xsi8, #mem.level<"L1">>
  %c = mem.buffer at 3 : memref<1xsi8, #mem.level<"L1">>
  %y = memref.subview %x[0] [1] [1] : memref<4xsi8, #mem.level<"L2">> to memref<1xsi8, strided<[1], offset: ?>, #mem.level<"L2">>
  %t = mem.view %a[] : memref<2x2xsi8, #mem.level<"L1">> -> memref<2x2xsi8, strided<[1, 2]>, #mem.level<"L1">>
  cluster.call "dpl_copy_8" of "cluster" ins(%t : memref<2x2xsi8, strided<[1, 2]>, #mem.level<"L1">>) outs(%b : memref<2x2xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%v: tensor<2x2xsi8>):
    %0 = graph.copy %v : tensor<2x2xsi8> -> tensor<2x2xsi8>
    cluster.yield %0 : tensor<2x2xsi8>
  }
  dma.start %y to %c on %load : memref<1xsi8, strided<[1], offset: ?>, #mem.level<"L2">> to memref<1xsi8, #mem.level<"L1">>
  dma.wait %load
  func.return
}

// CHECK-LABEL: @seen
// CHECK:         cluster.call
// CHECK:         }
// CHECK-NEXT:    dma.start
// CHECK-NEXT:    dma.wait %load

// -----

// Of a part whose place in its buffer is known at run time only, no part has a place either.

func.func @anywhere(%x: memref<4xsi8, #mem.level<"L2">> {mem.offset = 0 : i64}, %i: index) {
  %load = dma.channel
  %a = mem.buffer at 0 : memref<4x2x2xsi8, #mem.level<"L1">>
  %b = mem.buffer at 16 : memref<1x2xsi8, #mem.level<"L1">>
  %c = mem.buffer at 8 : memref<4xsi8, #mem.level<"L1">>
  %slot = memref.subview %a[%i, 0, 0] [1, 2, 2] [1, 1, 1] : memref<4x2x2xsi8, #mem.level<"L1">> to memref<2x2xsi8, strided<[2, 1], offset: ?>, #mem.level<"L1">>
  %t = mem.view %slot[] : memref<2x2xsi8, strided<[2, 1], offset: ?>, #mem.level<"L1">> -> memref<2x2xsi8, strided<[1, 2], offset: ?>, #mem.level<"L1">>
  %row = memref.subview %t[0, 0] [1, 2] [1, 1] : memref<2x2xsi8, strided<[1, 2], offset: ?>, #mem.level<"L1">> to memref<1x2xsi8, strided<[1, 2], offset: ?>, #mem.level<"L1">>
  cluster.call "dpl_copy_8" of "cluster" ins(%row : memref<1x2xsi8, strided<[1, 2], offset: ?>, #mem.level<"L1">>) outs(%b : memref<1x2xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%v: tensor<1x2xsi8>):
    %0 = graph.copy %v : tensor<1x2xsi8> -> tensor<1x2xsi8>
    cluster.yield %0 : tensor<1x2xsi8>
  }
  dma.start %x to %c on %load : memref<4xsi8, #mem.level<"L2">> to memref<4xsi8, #mem.level<"L1">>
  dma.wait %load
  func.return
}

// CHECK-LABEL: @anywhere
// CHECK:         cluster.call
// CHECK:         }
// CHECK-NEXT:    dma.start
// CHECK-NEXT:    dma.wait %load
