// RUN: %roundtrip
// RUN: %generic_roundtrip

func.func @network(%x: memref<2x4xsi8, #mem.level<"L2">>, %y: memref<2x4xsi8, #mem.level<"L1">>) {
  %load = dma.channel
  %again = dma.channel {depth = 4 : i64}
  dma.start %x to %y on %load : memref<2x4xsi8, #mem.level<"L2">> to memref<2x4xsi8, #mem.level<"L1">>
  dma.start %y to %x on %again {why = "back"} : memref<2x4xsi8, #mem.level<"L1">> to memref<2x4xsi8, #mem.level<"L2">>
  %mark = dma.mark %load
  dma.wait %load until %mark
  dma.wait %again {last}
  func.return
}

// CHECK-LABEL: func.func @network
// CHECK-NEXT:    %load = dma.channel
// CHECK-NEXT:    %again = dma.channel {depth = 4 : i64}
// CHECK-NEXT:    dma.start %x to %y on %load : memref<2x4xsi8, #mem.level<"L2">> to memref<2x4xsi8, #mem.level<"L1">>
// CHECK-NEXT:    dma.start %y to %x on %again {why = "back"} : memref<2x4xsi8, #mem.level<"L1">> to memref<2x4xsi8, #mem.level<"L2">>
// CHECK-NEXT:    %mark = dma.mark %load
// CHECK-NEXT:    dma.wait %load until %mark
// CHECK-NEXT:    dma.wait %again {last}

// A channel is also a type that values have.

func.func @waits(%c: !dma.channel) {
  dma.wait %c
  func.return
}

// CHECK-LABEL: func.func @waits(%c: !dma.channel) {
// CHECK-NEXT:    dma.wait %c
