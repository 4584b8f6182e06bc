// RUN: deeploy-opt %s -p insert-barriers | filecheck %s
// RUN: deeploy-opt %s -p insert-barriers,insert-barriers | filecheck %s

// Between a wait and the kernel that reads what was loaded; between kernels; between a kernel and
// the transfer of what it wrote. A second run finds nothing to add.

func.func @straight(%x: memref<2xsi8, #mem.level<"L2">>, %a: memref<2xsi8, #mem.level<"L1">>, %b: memref<2xsi8, #mem.level<"L1">>) {
  %load = dma.channel
  %store = dma.channel
  dma.start %x to %a on %load : memref<2xsi8, #mem.level<"L2">> to memref<2xsi8, #mem.level<"L1">>
  dma.wait %load
  cluster.call "dpl_copy_8" of "cluster" ins(%a : memref<2xsi8, #mem.level<"L1">>) outs(%b : memref<2xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<2xsi8>):
    %0 = graph.copy %t : tensor<2xsi8> -> tensor<2xsi8>
    cluster.yield %0 : tensor<2xsi8>
  }
  cluster.call "dpl_copy_8" of "cluster" ins(%b : memref<2xsi8, #mem.level<"L1">>) outs(%a : memref<2xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<2xsi8>):
    %0 = graph.copy %t : tensor<2xsi8> -> tensor<2xsi8>
    cluster.yield %0 : tensor<2xsi8>
  }
  dma.start %b to %x on %store : memref<2xsi8, #mem.level<"L1">> to memref<2xsi8, #mem.level<"L2">>
  dma.wait %store
  func.return
}

// CHECK-LABEL: @straight
// CHECK:         dma.start %x to %a on %load
// CHECK-NEXT:    dma.wait %load
// CHECK-NEXT:    cluster.barrier
// CHECK-NEXT:    cluster.call {{.+}} ins(%a
// CHECK:         }
// CHECK-NEXT:    cluster.barrier
// CHECK-NEXT:    cluster.call {{.+}} ins(%b
// CHECK:         }
// CHECK-NEXT:    cluster.barrier
// CHECK-NEXT:    dma.start %b to %x on %store
// CHECK-NEXT:    dma.wait %store
// CHECK-NEXT:    func.return

// A load at the start of a loop follows the kernel at its end.

func.func @loads(%x: memref<2xsi8, #mem.level<"L2">>, %a: memref<2xsi8, #mem.level<"L1">>, %b: memref<2xsi8, #mem.level<"L1">>) {
  %load = dma.channel
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  scf.for %tile = %zero to %one step %one {
    dma.start %x to %a on %load : memref<2xsi8, #mem.level<"L2">> to memref<2xsi8, #mem.level<"L1">>
    dma.wait %load
    cluster.call "dpl_copy_8" of "cluster" ins(%a : memref<2xsi8, #mem.level<"L1">>) outs(%b : memref<2xsi8, #mem.level<"L1">>) overhang [] {
    ^bb0(%t: tensor<2xsi8>):
      %0 = graph.copy %t : tensor<2xsi8> -> tensor<2xsi8>
      cluster.yield %0 : tensor<2xsi8>
    }
  }
  func.return
}

// CHECK-LABEL: @loads
// CHECK:         scf.for
// CHECK-NEXT:      cluster.barrier
// CHECK-NEXT:      dma.start %x to %a on %load
// CHECK-NEXT:      dma.wait %load
// CHECK-NEXT:      cluster.barrier
// CHECK-NEXT:      cluster.call
// CHECK:           }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return

// A kernel at the start of a loop follows the one before the loop, and itself.

func.func @kernels(%x: memref<2xsi8, #mem.level<"L2">>, %a: memref<2xsi8, #mem.level<"L1">>, %b: memref<2xsi8, #mem.level<"L1">>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  cluster.call "dpl_copy_8" of "cluster" ins(%a : memref<2xsi8, #mem.level<"L1">>) outs(%b : memref<2xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<2xsi8>):
    %0 = graph.copy %t : tensor<2xsi8> -> tensor<2xsi8>
    cluster.yield %0 : tensor<2xsi8>
  }
  scf.for %tile = %zero to %one step %one {
    cluster.call "dpl_copy_8" of "cluster" ins(%b : memref<2xsi8, #mem.level<"L1">>) outs(%a : memref<2xsi8, #mem.level<"L1">>) overhang [] {
    ^bb0(%t: tensor<2xsi8>):
      %0 = graph.copy %t : tensor<2xsi8> -> tensor<2xsi8>
      cluster.yield %0 : tensor<2xsi8>
    }
  }
  func.return
}

// CHECK-LABEL: @kernels
// CHECK-NOT:     cluster.barrier
// CHECK:         scf.for
// CHECK-NEXT:      cluster.barrier
// CHECK-NEXT:      cluster.call {{.+}} ins(%b
// CHECK-NOT:     cluster.barrier
// CHECK:         func.return
