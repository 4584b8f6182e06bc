// RUN: deeploy-opt %s -p 'set-target{target=host}' -t c | filecheck %s

// Index arithmetic in C: constants fold, what is used once and has no name is written in place (with
// the parentheses that it needs), the rest are variables, and variables that nothing reads are not
// printed. Two dimensions are one transfer; further ones are loops around it.

func.func @network(%x: memref<64x64xsi8, #mem.level<"L2">> {mem.offset = 256 : i64}, %y: memref<64x64xsi8, #mem.level<"L1">> {mem.offset = 0 : i64}) {
  %load = dma.channel
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  %ten = arith.constant 10 : index
  %folded = arith.addi %two, %one : index
  scf.for %tile = %zero to %ten step %two {
    // (min(tile, 3) + 1) * 64: a call beside an operator is not a call
    %0 = arith.minsi %tile, %folded : index
    %1 = arith.addi %0, %one : index
    %2 = memref.subview %x[%1, 0] [1, 64] [1, 1] : memref<64x64xsi8, #mem.level<"L2">> to memref<1x64xsi8, strided<[64, 1], offset: ?>, #mem.level<"L2">>
    %3 = memref.subview %y[0, 0] [1, 64] [1, 1] : memref<64x64xsi8, #mem.level<"L1">> to memref<1x64xsi8, strided<[64, 1], offset: ?>, #mem.level<"L1">>
    dma.start %2 to %3 on %load : memref<1x64xsi8, strided<[64, 1], offset: ?>, #mem.level<"L2">> to memref<1x64xsi8, strided<[64, 1], offset: ?>, #mem.level<"L1">>
    %unused = arith.addi %tile, %ten : index
    %row = arith.addi %tile, %one : index
    %rows = arith.subi %ten, %row : index
    %odd = arith.remui %row, %two : index
    %isodd = arith.cmpi eq, %odd, %one : index
    %never = arith.cmpi sgt, %one, %two : index
    dma.wait %load
    scf.if %isodd {
      %4 = memref.subview %x[%row, 4] [%rows, 8] [1, 1] : memref<64x64xsi8, #mem.level<"L2">> to memref<?x8xsi8, strided<[64, 1], offset: ?>, #mem.level<"L2">>
      %5 = memref.subview %y[%row, 0] [%rows, 8] [1, 1] : memref<64x64xsi8, #mem.level<"L1">> to memref<?x8xsi8, strided<[64, 1], offset: ?>, #mem.level<"L1">>
      dma.start %4 to %5 on %load : memref<?x8xsi8, strided<[64, 1], offset: ?>, #mem.level<"L2">> to memref<?x8xsi8, strided<[64, 1], offset: ?>, #mem.level<"L1">>
    }
    scf.if %never {
      dma.start %2 to %3 on %load : memref<1x64xsi8, strided<[64, 1], offset: ?>, #mem.level<"L2">> to memref<1x64xsi8, strided<[64, 1], offset: ?>, #mem.level<"L1">>
    }
    cluster.barrier
  } loc("Copy_0")
  dma.wait %load
  func.return
}

// CHECK:       {"input0", DPL_ARENA_BASE(network_L2) + 256, 4096, 1,
// CHECK-NEXT:  {"input1", DPL_ARENA_BASE(network_L1) + 0, 4096, 1,
// CHECK:       void network_cluster(uint32_t core) {
// CHECK-NEXT:    const int32_t load = 0;
// CHECK-EMPTY:
// CHECK-NEXT:    // Copy_0
// CHECK-NEXT:    for (int32_t tile = 0; tile < 10; tile += 2) {
// CHECK-NOT:   unused
// CHECK:         uint8_t *const {{.+}} = network_L2 + 256 + (dpl_min(tile, 3) + 1) * 64;
// CHECK-NOT:   unused
// CHECK:         const int32_t row = tile + 1;
// CHECK-NEXT:    const int32_t rows = 10 - row;
// CHECK-NEXT:    const int32_t odd = row % 2;
// CHECK-NEXT:    if (core == 0) {
// CHECK-NEXT:      dpl_dma_start(load, network_L1, {{.+}}, 64);
// CHECK-NEXT:      dpl_dma_wait(load);
// CHECK-NEXT:      if (odd == 1) {
// CHECK-NEXT:        dpl_dma_start_2d(load, network_L1 + row * 64, network_L2 + 256 + row * 64 + 4, 8, rows, 64, 64);
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    dpl_barrier();
// CHECK-NEXT:  }
// CHECK-NEXT:  if (core == 0) {
// CHECK-NEXT:    dpl_dma_wait(load);
// CHECK-NEXT:  }
// CHECK-NEXT: }
