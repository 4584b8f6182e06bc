// RUN: deeploy-opt %s --split-input-file -p 'set-target{target=host},assign-addresses' | filecheck %s
// RUN: deeploy-opt %s --split-input-file -p 'set-target{target=host},assign-addresses,assign-addresses' | filecheck %s

// Addresses of the plan are kept, others are found by first fit: %b may lie where %a was, which
// nothing uses any more; %c may not, since it is in use beside %b; %w is there all the time.

func.func @network(%x: memref<2x20xsi8, #mem.level<"L2">>, %y: memref<2x20xsi8, #mem.level<"L2">> {mem.offset = 64 : i64}) {
  %load = dma.channel
  %w = mem.constant dense<1> : tensor<4xsi8> -> memref<4xsi8, #mem.level<"L2">>
  %a = memref.alloc() : memref<2x20xsi8, #mem.level<"L1">>
  %b = memref.alloc() : memref<2x20xsi8, #mem.level<"L1">>
  %c = memref.alloc() : memref<4xsi8, #mem.level<"L1">>
  %d = memref.alloc() {mem.offset = 1024 : i64} : memref<4xsi8, #mem.level<"L1">>
  dma.start %x to %a on %load : memref<2x20xsi8, #mem.level<"L2">> to memref<2x20xsi8, #mem.level<"L1">>
  dma.wait %load
  dma.start %x to %b on %load : memref<2x20xsi8, #mem.level<"L2">> to memref<2x20xsi8, #mem.level<"L1">>
  dma.start %w to %c on %load : memref<4xsi8, #mem.level<"L2">> to memref<4xsi8, #mem.level<"L1">>
  dma.start %w to %d on %load : memref<4xsi8, #mem.level<"L2">> to memref<4xsi8, #mem.level<"L1">>
  dma.wait %load
  dma.start %b to %y on %load : memref<2x20xsi8, #mem.level<"L1">> to memref<2x20xsi8, #mem.level<"L2">>
  dma.wait %load
  func.return
}

// CHECK:      func.func @network(%x: memref<2x20xsi8, #mem.level<"L2">> {mem.offset = 0 : i64}, %y: memref<2x20xsi8, #mem.level<"L2">> {mem.offset = 64 : i64}) {
// CHECK:      %w = mem.constant at 48 dense<1> : tensor<4xsi8> -> memref<4xsi8, #mem.level<"L2">>
// CHECK-NEXT: %a = mem.buffer at 0 : memref<2x20xsi8, #mem.level<"L1">>
// CHECK-NEXT: %b = mem.buffer at 0 : memref<2x20xsi8, #mem.level<"L1">>
// CHECK-NEXT: %c = mem.buffer at 48 : memref<4xsi8, #mem.level<"L1">>
// CHECK-NEXT: %d = mem.buffer at 1024 : memref<4xsi8, #mem.level<"L1">>

// -----

// A buffer that has its address already keeps it, and nothing is put over it.

func.func @network(%x: memref<16xsi8, #mem.level<"L2">>) {
  %load = dma.channel
  %a = mem.buffer at 0 : memref<16xsi8, #mem.level<"L1">>
  %b = memref.alloc() : memref<16xsi8, #mem.level<"L1">>
  dma.start %x to %a on %load : memref<16xsi8, #mem.level<"L2">> to memref<16xsi8, #mem.level<"L1">>
  dma.start %x to %b on %load : memref<16xsi8, #mem.level<"L2">> to memref<16xsi8, #mem.level<"L1">>
  dma.start %a to %x on %load : memref<16xsi8, #mem.level<"L1">> to memref<16xsi8, #mem.level<"L2">>
  dma.wait %load
  func.return
}

// CHECK:      %a = mem.buffer at 0 : memref<16xsi8, #mem.level<"L1">>
// CHECK-NEXT: %b = mem.buffer at 16 : memref<16xsi8, #mem.level<"L1">>
