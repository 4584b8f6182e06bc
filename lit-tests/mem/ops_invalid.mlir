// RUN: %invalid | filecheck %s

// What parser and verifiers of the mem dialect reject.

func.func @network() {
  %w = mem.constant dense<1> : tensor<3xsi8> -> memref<3xsi8>
  func.return
}

// CHECK: 'mem.constant' needs a memref with a #mem.level

// -----

func.func @network() {
  %w = mem.constant dense<1> : tensor<3xsi8> -> memref<4xsi8, #mem.level<"L2">>
  func.return
}

// CHECK: 'mem.constant' has a value of another type than its result

// -----

func.func @network() {
  %w = mem.constant dense<1> : tensor<3xsi8> -> memref<3xui8, #mem.level<"L2">>
  func.return
}

// CHECK: 'mem.constant' has a value of another type than its result

// -----

func.func @network() {
  %w = mem.constant 5 : i64 -> memref<3xui8, #mem.level<"L2">>
  func.return
}

// CHECK: expected dense<…> or dense_resource<…>

// -----

func.func @network() {
  %b = mem.buffer at 0 : memref<3xsi8>
  func.return
}

// CHECK: 'mem.buffer' needs a memref with a #mem.level

// -----

func.func @network() {
  %b = mem.buffer at -4 : memref<3xsi8, #mem.level<"L2">>
  func.return
}

// CHECK: 'mem.buffer' needs an offset ≥ 0

// -----

func.func @network() {
  %b = mem.buffer : memref<3xsi8, #mem.level<"L2">>
  func.return
}

// CHECK: Expected 'at'

// -----

func.func @network(%x: memref<2x4xsi8, #mem.level<"L2">>) {
  %y = mem.reshape %x : memref<2x4xsi8, #mem.level<"L2">> -> memref<9xsi8, #mem.level<"L2">>
  func.return
}

// CHECK: 'mem.reshape' must keep the number of elements

// -----

func.func @network(%x: memref<2x4xsi8, #mem.level<"L2">>) {
  %y = mem.reshape %x : memref<2x4xsi8, #mem.level<"L2">> -> memref<8xsi8, #mem.level<"L1">>
  func.return
}

// CHECK: 'mem.reshape' cannot move data to another memory

// -----

func.func @network(%x: memref<2x4xsi8, #mem.level<"L2">>) {
  %y = mem.view %x[] : memref<2x4xsi8, #mem.level<"L2">> -> memref<4x2xui8, strided<[1, 4]>, #mem.level<"L2">>
  func.return
}

// CHECK: 'mem.view' cannot change the memory or the element type

// -----

func.func @network(%x: memref<2x4xsi8, #mem.level<"L2">>) {
  %y = mem.view %x[] : memref<2x4xsi8, #mem.level<"L2">> -> memref<?x2xsi8, strided<[1, 4]>, #mem.level<"L2">>
  func.return
}

// CHECK: 'mem.view' needs a size for each extent that is not known
