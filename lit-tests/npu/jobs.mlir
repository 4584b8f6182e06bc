// RUN: %roundtrip
// RUN: %generic_roundtrip

// Jobs on buffers, with an overhang known only at run time; and what a driver does.

func.func @start(%x: memref<1x5x7x30xui8, #mem.level<"L1">>, %w: memref<16x256xui8, #mem.level<"WMEM">>, %y: memref<1x5x6x16xsi32, #mem.level<"L1">>, %low: index) {
  %q = npu.queue of "neureka"
  npu.start ins(%x, %w : memref<1x5x7x30xui8, #mem.level<"L1">>, memref<16x256xui8, #mem.level<"WMEM">>) outs(%y : memref<1x5x6x16xsi32, #mem.level<"L1">>) overhang [0, 0, %low, 1, 1, 0, 0, 0] on %q attributes {note = "kept"} {
  ^bb0(%a: tensor<1x9x7x30xui8>, %b: tensor<16x256xui8>):
    %0 = npu.conv %a, %b {mode = "dense", strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 0>, weight_bits = 4, weight_offset = -8} : tensor<1x9x7x30xui8>, tensor<16x256xui8> -> tensor<1x9x6x16xsi32>
    npu.yield %0 : tensor<1x9x6x16xsi32>
  }
  %mark = npu.mark %q
  npu.wait %q until %mark
  func.return
}

// CHECK-LABEL: func.func @start
// CHECK-NEXT:    %q = npu.queue of "neureka"
// CHECK-NEXT:    npu.start ins(%x, %w : memref<1x5x7x30xui8, #mem.level<"L1">>, memref<16x256xui8, #mem.level<"WMEM">>) outs(%y : memref<1x5x6x16xsi32, #mem.level<"L1">>) overhang [0, 0, %low, 1, 1, 0, 0, 0] on %q attributes {note = "kept"} {
// CHECK-NEXT:    ^bb0(%a: tensor<1x9x7x30xui8>, %b: tensor<16x256xui8>):
// CHECK-NEXT:      %0 = npu.conv %a, %b
// CHECK-NEXT:      npu.yield %0 : tensor<1x9x6x16xsi32>
// CHECK-NEXT:    }
// CHECK-NEXT:    %mark = npu.mark %q
// CHECK-NEXT:    npu.wait %q until %mark

func.func @registers(%x: memref<4xui8, #mem.level<"L1">>) {
  %q = npu.queue of "neureka"
  %address = npu.address %x : memref<4xui8, #mem.level<"L1">>
  %job = npu.acquire %q
  npu.write "input", %address on %q
  npu.trigger %q
  func.return
}

// CHECK-LABEL: func.func @registers(%x: memref<4xui8, #mem.level<"L1">>) {
// CHECK-NEXT:    %q = npu.queue of "neureka"
// CHECK-NEXT:    %address = npu.address %x : memref<4xui8, #mem.level<"L1">>
// CHECK-NEXT:    %job = npu.acquire %q
// CHECK-NEXT:    npu.write "input", %address on %q
// CHECK-NEXT:    npu.trigger %q
