// RUN: deeploy-opt %s --split-input-file -p overlap | filecheck %s
// RUN: deeploy-opt %s --split-input-file -p overlap,overlap | filecheck %s

// The second load needs none of the bytes that the first kernel uses: it starts with the first one,
// and its wait stays behind that kernel.

func.func @loads(%x: memref<4xsi8, #mem.level<"L2">> {mem.offset = 0 : i64}, %y: memref<4xsi8, #mem.level<"L2">> {mem.offset = 4 : i64}) {
  %load = dma.channel
  %a = mem.buffer at 0 : memref<4xsi8, #mem.level<"L1">>
  %b = mem.buffer at 4 : memref<4xsi8, #mem.level<"L1">>
  %c = mem.buffer at 8 : memref<4xsi8, #mem.level<"L1">>
  dma.start %x to %a on %load : memref<4xsi8, #mem.level<"L2">> to memref<4xsi8, #mem.level<"L1">>
  dma.wait %load
  cluster.call "dpl_copy_8" of "cluster" ins(%a : memref<4xsi8, #mem.level<"L1">>) outs(%b : memref<4xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<4xsi8>):
    %0 = graph.copy %t : tensor<4xsi8> -> tensor<4xsi8>
    cluster.yield %0 : tensor<4xsi8>
  }
  dma.start %y to %c on %load : memref<4xsi8, #mem.level<"L2">> to memref<4xsi8, #mem.level<"L1">>
  dma.wait %load
  cluster.call "dpl_copy_8" of "cluster" ins(%c : memref<4xsi8, #mem.level<"L1">>) outs(%a : memref<4xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<4xsi8>):
    %0 = graph.copy %t : tensor<4xsi8> -> tensor<4xsi8>
    cluster.yield %0 : tensor<4xsi8>
  }
  func.return
}

// CHECK-LABEL: @loads
// CHECK:         dma.start %x to %a on %load
// CHECK-NEXT:    %loaded = dma.mark %load
// CHECK-NEXT:    dma.start %y to %c on %load
// CHECK-NEXT:    dma.wait %load until %loaded
// CHECK-NEXT:    cluster.call {{.+}} ins(%a
// CHECK:         }
// CHECK-NEXT:    dma.wait %load
// CHECK-NEXT:    cluster.call {{.+}} ins(%c

// -----

// Here it would overwrite what the first kernel reads.

func.func @reused(%x: memref<4xsi8, #mem.level<"L2">> {mem.offset = 0 : i64}, %y: memref<4xsi8, #mem.level<"L2">> {mem.offset = 4 : i64}) {
  %load = dma.channel
  %a = mem.buffer at 0 : memref<4xsi8, #mem.level<"L1">>
  %b = mem.buffer at 4 : memref<4xsi8, #mem.level<"L1">>
  %c = mem.buffer at 2 : memref<4xsi8, #mem.level<"L1">>
  dma.start %x to %a on %load : memref<4xsi8, #mem.level<"L2">> to memref<4xsi8, #mem.level<"L1">>
  dma.wait %load
  cluster.call "dpl_copy_8" of "cluster" ins(%a : memref<4xsi8, #mem.level<"L1">>) outs(%b : memref<4xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<4xsi8>):
    %0 = graph.copy %t : tensor<4xsi8> -> tensor<4xsi8>
    cluster.yield %0 : tensor<4xsi8>
  }
  dma.start %y to %c on %load : memref<4xsi8, #mem.level<"L2">> to memref<4xsi8, #mem.level<"L1">>
  dma.wait %load
  func.return
}

// CHECK-LABEL: @reused
// CHECK:         dma.start %x to %a on %load
// CHECK-NEXT:    dma.wait %load
// CHECK-NEXT:    cluster.call {{.+}} ins(%a
// CHECK:         }
// CHECK-NEXT:    dma.start %y to %c on %load
// CHECK-NEXT:    dma.wait %load
// CHECK-NEXT:    func.return
