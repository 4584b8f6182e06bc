// RUN: deeploy-opt %s --split-input-file -p assign-addresses,lower-npu --check-semantics | filecheck %s
// RUN: deeploy-opt %s --split-input-file -p assign-addresses,lower-npu -t c | filecheck %s --check-prefix=C

// A job becomes what its driver does: 24 registers in a context. The input begins before the
// padding, a row and a pixel of 30 bytes back.

builtin.module attributes {mem.target = {name = "chip", cores = 2 : i64, compute = "L1", io = "L1", memories = [{name = "L1", size = 65536 : i64, align = 16 : i64, persistent = 1 : i64, activations = 1 : i64, engine = "", address = 268435456 : i64}, {name = "WMEM", size = 65536 : i64, align = 16 : i64, persistent = 1 : i64, activations = 0 : i64, engine = "neureka", address = 0 : i64}], links = [], engines = ["neureka", "cluster"], platform = "host", barrier_cycles = 15 : i64, summary = ""}} {
  func.func @network(%x: memref<1x5x7x30xui8, #mem.level<"L1">>, %w: memref<40x256xui8, #mem.level<"WMEM">>, %m: memref<40xui8, #mem.level<"L1">>, %a: memref<40xsi32, #mem.level<"L1">>, %y: memref<1x5x7x40xsi8, #mem.level<"L1">>) -> memref<1x5x7x40xsi8, #mem.level<"L1">> {
    %q = npu.queue of "neureka"
    npu.start ins(%x, %w, %m, %a : memref<1x5x7x30xui8, #mem.level<"L1">>, memref<40x256xui8, #mem.level<"WMEM">>, memref<40xui8, #mem.level<"L1">>, memref<40xsi32, #mem.level<"L1">>) outs(%y : memref<1x5x7x40xsi8, #mem.level<"L1">>) overhang [0, 0, 1, 1, 1, 1, 0, 0] on %q {
    ^bb0(%0: tensor<1x5x7x30xui8>, %1: tensor<40x256xui8>, %2: tensor<40xui8>, %3: tensor<40xsi32>):
      %4 = npu.conv %0, %1 mul %2 : tensor<40xui8> add %3 : tensor<40xsi32> {mode = "dense", strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, weight_bits = 4, weight_offset = -8, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = -128, max = 127>} : tensor<1x5x7x30xui8>, tensor<40x256xui8> -> tensor<1x5x7x40xsi8>
      npu.yield %4 : tensor<1x5x7x40xsi8>
    }
    npu.wait %q
    func.return %y : memref<1x5x7x40xsi8, #mem.level<"L1">>
  }
}

// CHECK:      %q = npu.queue of "neureka"
// CHECK-NEXT: %0 = npu.address %w
// CHECK-NEXT: %1 = npu.address %x
// CHECK-NOT:  npu.start
// CHECK:      %[[BACK:.*]] = arith.constant 240 : index
// CHECK-NEXT: %[[INPUT:.*]] = arith.subi %1, %[[BACK]] : index
// CHECK:      npu.acquire %q
// CHECK-NEXT: npu.write "weights", %0 on %q
// CHECK-NEXT: npu.write "input", %[[INPUT]] on %q
// CHECK:      npu.write "configuration"
// CHECK-NEXT: npu.trigger %q
// CHECK-NEXT: npu.wait %q

// C:      #include "deeploy/npu.h"
// C:      {"L1", DPL_ARENA_BASE(network_L1), 65536, 0x10000000},
// C:        if (core == 0) {
// C-NEXT:     dpl_npu_acquire();
// C-NEXT:     dpl_npu_write(DPL_NPU_WEIGHTS, dpl_npu_address(network_WMEM));
// C-NEXT:     dpl_npu_write(DPL_NPU_INPUT, dpl_npu_address(network_L1) - 240);
// C-NEXT:     dpl_npu_write(DPL_NPU_OUTPUT, dpl_npu_address(network_L1 + 1264));
// C-NEXT:     dpl_npu_write(DPL_NPU_SCALE, dpl_npu_address(network_L1 + 1056));
// C-NEXT:     dpl_npu_write(DPL_NPU_SCALE_SHIFT, 0);
// C-NEXT:     dpl_npu_write(DPL_NPU_BIAS, dpl_npu_address(network_L1 + 1104));
// C-NEXT:     dpl_npu_write(DPL_NPU_INPUT_PIXEL_STRIDE, 30);
// C-NEXT:     dpl_npu_write(DPL_NPU_INPUT_ROW_STRIDE, 210);
// C-NEXT:     dpl_npu_write(DPL_NPU_INPUT_STRIDE_2, 0);
// C-NEXT:     dpl_npu_write(DPL_NPU_OUTPUT_STRIDE_0, 32);
// C-NEXT:     dpl_npu_write(DPL_NPU_OUTPUT_PIXEL_STRIDE, 40);
// C-NEXT:     dpl_npu_write(DPL_NPU_OUTPUT_ROW_STRIDE, 280);
// C-NEXT:     dpl_npu_write(DPL_NPU_WEIGHT_STRIDE_0, 32);
// 2 groups of 28 channels, 4 bits: 32 * 4 * 2
// C-NEXT:     dpl_npu_write(DPL_NPU_WEIGHT_STRIDE_1, 256);
// C-NEXT:     dpl_npu_write(DPL_NPU_WEIGHT_STRIDE_2, 0);
// the last of 2 x 2 blocks of channels: 8 and 2; 5 x 7 pixels are 1 x 2 subtiles
// C-NEXT:     dpl_npu_write(DPL_NPU_LAST_CHANNELS, 524290);
// C-NEXT:     dpl_npu_write(DPL_NPU_LAST_OUTPUT, 327681);
// C-NEXT:     dpl_npu_write(DPL_NPU_LAST_INPUT, 393218);
// C-NEXT:     dpl_npu_write(DPL_NPU_CHANNEL_SUBTILES, 131074);
// C-NEXT:     dpl_npu_write(DPL_NPU_PIXEL_SUBTILES, 65538);
// C-NEXT:     dpl_npu_write(DPL_NPU_PADDING, 286326784);
// C-NEXT:     dpl_npu_write(DPL_NPU_WEIGHT_OFFSET, -8);
// C-NEXT:     dpl_npu_write(DPL_NPU_FILTER_MASK, 0);
// C-NEXT:     dpl_npu_write(DPL_NPU_CONFIGURATION,
// C-NEXT:     dpl_npu_trigger();
// C-NEXT:     dpl_npu_wait();

// -----

// 64 tokens are two jobs of 6 x 6 pixels, of which the second is moved back by 8 to token 28.

builtin.module attributes {mem.target = {name = "chip", cores = 2 : i64, compute = "L1", io = "L1", memories = [{name = "L1", size = 65536 : i64, align = 16 : i64, persistent = 1 : i64, activations = 1 : i64, engine = "", address = 268435456 : i64}], links = [], engines = ["neureka", "cluster"], platform = "host", barrier_cycles = 15 : i64, summary = ""}} {
  func.func @network(%x: memref<64x32xui8, #mem.level<"L1">>, %w: memref<10x32xui8, #mem.level<"L1">>, %y: memref<64x10xsi32, #mem.level<"L1">>) -> memref<64x10xsi32, #mem.level<"L1">> {
    %q = npu.queue of "neureka"
    npu.start ins(%x, %w : memref<64x32xui8, #mem.level<"L1">>, memref<10x32xui8, #mem.level<"L1">>) outs(%y : memref<64x10xsi32, #mem.level<"L1">>) overhang [] on %q {
    ^bb0(%0: tensor<64x32xui8>, %1: tensor<10x32xui8>):
      %2 = npu.conv %0, %1 {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128} : tensor<64x32xui8>, tensor<10x32xui8> -> tensor<64x10xsi32>
      npu.yield %2 : tensor<64x10xsi32>
    }
    npu.wait %q
    func.return %y : memref<64x10xsi32, #mem.level<"L1">>
  }
}

// CHECK:   npu.acquire
// CHECK:   npu.trigger
// CHECK:   npu.acquire
// CHECK:   npu.trigger
// C:       void network_cluster
// C:         dpl_npu_write(DPL_NPU_INPUT, dpl_npu_address(network_L1));
// C:         dpl_npu_write(DPL_NPU_INPUT_ROW_STRIDE, 192);
// C:         dpl_npu_write(DPL_NPU_INPUT, dpl_npu_address(network_L1) + 896);

// -----

// Tiles of 24 of 64 tokens: two of 4 x 6 pixels, and the last one's 16 tokens as 3 x 6 that overlap.

builtin.module attributes {mem.target = {name = "chip", cores = 2 : i64, compute = "L1", io = "L1", memories = [{name = "L1", size = 65536 : i64, align = 16 : i64, persistent = 1 : i64, activations = 1 : i64, engine = "", address = 268435456 : i64}], links = [], engines = ["neureka", "cluster"], platform = "host", barrier_cycles = 15 : i64, summary = ""}} {
  func.func @network(%x: memref<64x32xui8, #mem.level<"L1">>, %w: memref<10x32xui8, #mem.level<"L1">>, %y: memref<64x10xsi32, #mem.level<"L1">>) -> memref<64x10xsi32, #mem.level<"L1">> {
    %q = npu.queue of "neureka"
    %0 = arith.constant 0 : index
    %1 = arith.constant 1 : index
    %3 = arith.constant 3 : index
    %24 = arith.constant 24 : index
    %64 = arith.constant 64 : index
    scf.for %tile = %0 to %3 step %1 {
      %first = arith.muli %tile, %24 : index
      %rest = arith.subi %64, %first : index
      %count = arith.minsi %rest, %24 : index
      %x_tile = memref.subview %x[%first, 0] [%count, 32] [1, 1] : memref<64x32xui8, #mem.level<"L1">> to memref<?x32xui8, strided<[32, 1], offset: ?>, #mem.level<"L1">>
      %y_tile = memref.subview %y[%first, 0] [%count, 10] [1, 1] : memref<64x10xsi32, #mem.level<"L1">> to memref<?x10xsi32, strided<[10, 1], offset: ?>, #mem.level<"L1">>
      npu.start ins(%x_tile, %w : memref<?x32xui8, strided<[32, 1], offset: ?>, #mem.level<"L1">>, memref<10x32xui8, #mem.level<"L1">>) outs(%y_tile : memref<?x10xsi32, strided<[10, 1], offset: ?>, #mem.level<"L1">>) overhang [] on %q {
      ^bb0(%4: tensor<64x32xui8>, %5: tensor<10x32xui8>):
        %6 = npu.conv %4, %5 {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128} : tensor<64x32xui8>, tensor<10x32xui8> -> tensor<64x10xsi32>
        npu.yield %6 : tensor<64x10xsi32>
      }
      npu.wait %q
    }
    func.return %y : memref<64x10xsi32, #mem.level<"L1">>
  }
}

// CHECK:       scf.for
// CHECK:         arith.cmpi eq, %count
// CHECK:         scf.if
// CHECK:           npu.trigger
// CHECK:         arith.cmpi eq, %count
// CHECK:         scf.if
// CHECK:           npu.trigger
// C:             if (count == 24) {
// C:               dpl_npu_write(DPL_NPU_INPUT_ROW_STRIDE, 192);
// C:             if (count == 16) {
// C:               dpl_npu_write(DPL_NPU_INPUT_ROW_STRIDE, 160);
