// RUN: %invalid | filecheck %s

// What the verifier of transfers rejects.

func.func @network(%x: memref<2x4xsi8, #mem.level<"L2">>, %y: memref<4x2xsi8, #mem.level<"L1">>) {
  %c = dma.channel
  dma.start %x to %y on %c : memref<2x4xsi8, #mem.level<"L2">> to memref<4x2xsi8, #mem.level<"L1">>
  func.return
}

// CHECK: 'dma.start' needs source and destination of one shape

// -----

func.func @network(%x: memref<4xsi8, #mem.level<"L2">>, %y: memref<4xui8, #mem.level<"L1">>) {
  %c = dma.channel
  dma.start %x to %y on %c : memref<4xsi8, #mem.level<"L2">> to memref<4xui8, #mem.level<"L1">>
  func.return
}

// CHECK: 'dma.start' needs source and destination of one element type

// -----

func.func @network(%x: memref<4xsi8>, %y: memref<4xsi8, #mem.level<"L1">>) {
  %c = dma.channel
  dma.start %x to %y on %c : memref<4xsi8> to memref<4xsi8, #mem.level<"L1">>
  func.return
}

// CHECK: 'dma.start' needs memrefs with a #mem.level

// -----

func.func @network(%x: memref<4xsi8, #mem.level<"L2">>, %y: memref<4xsi8>) {
  %c = dma.channel
  dma.start %x to %y on %c : memref<4xsi8, #mem.level<"L2">> to memref<4xsi8>
  func.return
}

// CHECK: 'dma.start' needs memrefs with a #mem.level

// -----

func.func @network(%x: memref<4xsi8, #mem.level<"L2">>) {
  dma.wait %x
  func.return
}

// CHECK: operand is used with type !dma.channel, but has been previously used or defined with type memref<4xsi8
