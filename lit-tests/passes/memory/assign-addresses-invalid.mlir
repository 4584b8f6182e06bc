// RUN: deeploy-opt %s --split-input-file --verify-diagnostics -p 'set-target{target=host sizes="L1=64"},assign-addresses' | filecheck %s

func.func @network(%x: tensor<4xsi8>) {
  func.return
}

// CHECK: func.func: the value is not a buffer; run 'bufferize' first

// -----

func.func @network() {
  %a = memref.alloc() : memref<80xsi8, #mem.level<"L1">>
  func.return
}

// CHECK: memref.alloc: a buffer at 0 ends beyond the 64 bytes of L1; run 'plan' for tiles that fit, or give more memory

// -----

func.func @network(%x: memref<16xsi8, #mem.level<"L2">>) {
  %load = dma.channel
  %a = memref.alloc() {mem.offset = 0 : i64} : memref<16xsi8, #mem.level<"L1">>
  %b = memref.alloc() {mem.offset = 8 : i64} : memref<16xsi8, #mem.level<"L1">>
  dma.start %x to %a on %load : memref<16xsi8, #mem.level<"L2">> to memref<16xsi8, #mem.level<"L1">>
  dma.start %x to %b on %load : memref<16xsi8, #mem.level<"L2">> to memref<16xsi8, #mem.level<"L1">>
  dma.start %a to %x on %load : memref<16xsi8, #mem.level<"L1">> to memref<16xsi8, #mem.level<"L2">>
  dma.wait %load
  func.return
}

// CHECK: memref.alloc: its buffer at 8 of L1 overlaps another one at 0 that is in use at the same time
