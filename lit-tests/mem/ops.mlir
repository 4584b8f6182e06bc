// RUN: %roundtrip
// RUN: %generic_roundtrip

// Constants in memory, buffers at addresses, and other shapes of the same bytes.

func.func @network(%x: memref<2x4xsi8, #mem.level<"L2">> {mem.home = "L2", mem.offset = 64 : i64}) {
  %w = mem.constant dense<[1, 2, 3]> : tensor<3xsi8> -> memref<3xsi8, #mem.level<"L2">>
  %first = mem.constant at 0 dense<[1, 2, 3]> : tensor<3xsi8> -> memref<3xsi8, #mem.level<"L2">>
  %second = mem.constant at 16 {why = "big"} dense_resource<weights> : tensor<20xsi32> -> memref<20xsi32, #mem.level<"L3">>
  %tile = mem.buffer at 0 : memref<4x4xsi8, #mem.level<"L1">>
  %slots = mem.buffer at 48 {why = "two slots"} : memref<2x3xui8, strided<[16, 1]>, #mem.level<"L1">>
  %flat = mem.reshape %x : memref<2x4xsi8, #mem.level<"L2">> -> memref<8xsi8, #mem.level<"L2">>
  %n = arith.constant 3 : index
  %turned = mem.view %x[%n] : memref<2x4xsi8, #mem.level<"L2">> -> memref<?x2xsi8, strided<[1, 4], offset: ?>, #mem.level<"L2">>
  func.return
}

{-#
  dialect_resources: {
    builtin: {
      weights: "0x04000000000102"
    }
  }
#-}

// CHECK-LABEL: func.func @network(%x: memref<2x4xsi8, #mem.level<"L2">> {mem.home = "L2", mem.offset = 64 : i64}) {
// CHECK-NEXT:    %w = mem.constant dense<[1, 2, 3]> : tensor<3xsi8> -> memref<3xsi8, #mem.level<"L2">>
// CHECK-NEXT:    %first = mem.constant at 0 dense<[1, 2, 3]> : tensor<3xsi8> -> memref<3xsi8, #mem.level<"L2">>
// CHECK-NEXT:    %second = mem.constant at 16 {why = "big"} dense_resource<weights> : tensor<20xsi32> -> memref<20xsi32, #mem.level<"L3">>
// CHECK-NEXT:    %tile = mem.buffer at 0 : memref<4x4xsi8, #mem.level<"L1">>
// CHECK-NEXT:    %slots = mem.buffer at 48 {why = "two slots"} : memref<2x3xui8, strided<[16, 1]>, #mem.level<"L1">>
// CHECK-NEXT:    %flat = mem.reshape %x : memref<2x4xsi8, #mem.level<"L2">> -> memref<8xsi8, #mem.level<"L2">>
// CHECK-NEXT:    %n = arith.constant 3 : index
// CHECK-NEXT:    %turned = mem.view %x[%n] : memref<2x4xsi8, #mem.level<"L2">> -> memref<?x2xsi8, strided<[1, 4], offset: ?>, #mem.level<"L2">>
