// RUN: deeploy-opt %s --split-input-file -p tabulate --check-semantics | filecheck %s
// RUN: deeploy-opt %s --split-input-file -p 'tabulate,set-target{target=siracusa},place,form-nests,plan,check-plan,bufferize,tile,insert-dma,pipeline,assign-addresses,overlap,insert-barriers' --check-semantics | filecheck %s --check-prefix=MEM

// Ops with the same numbers share a table.

func.func @shared(%x: tensor<4x80xsi8>) -> tensor<4x80xui8> {
  %0 = graph.int_softmax %x {a = 1, b = 173, c = 15599, log2 = 127} : tensor<4x80xsi8> -> tensor<4x80xui8>
  %1 = graph.int_softmax %0 {a = 1, b = 173, c = 15599, log2 = 127, requant = #graph.requant<mul = 3, add = 0, shift = 2, min = 0, max = 255>} : tensor<4x80xui8> -> tensor<4x80xui8>
  func.return %1 : tensor<4x80xui8>
}

// CHECK-LABEL: func.func @shared(
// CHECK-NEXT:    %results = graph.constant dense_resource<results0> : tensor<256xui8>
// CHECK-NEXT:    %exponentials = graph.constant dense_resource<exponentials0> : tensor<256xsi32>
// CHECK-NEXT:    %0 = graph.int_softmax %x table %exponentials : tensor<256xsi32> {a = 1 : i64, b = 173 : i64, c = 15599 : i64, log2 = 127 : i64} : tensor<4x80xsi8> -> tensor<4x80xui8>
// CHECK-NEXT:    %1 = graph.int_softmax %0 table %exponentials : tensor<256xsi32> mapping %results : tensor<256xui8> {a = 1 : i64, b = 173 : i64, c = 15599 : i64, log2 = 127 : i64} : tensor<4x80xui8> -> tensor<4x80xui8>

// MEM-LABEL: func.func @shared(
// MEM: cluster.call "dpl_int_softmax_s8_u8" of "cluster" ins(%{{.*}}, %exponentials{{.*}} : memref<4x80xsi8, #mem.level<"L1">>, memref<256xsi32, #mem.level<"L1">>)
// MEM: cluster.call "dpl_int_softmax_u8_u8" of "cluster" ins(%{{.*}}, %exponentials{{.*}}, %results{{.*}} : memref<4x80xui8, #mem.level<"L1">>, memref<256xsi32, #mem.level<"L1">>, memref<256xui8, #mem.level<"L1">>)

// -----

// Factors that differ from column to column stay what they are.

func.func @columns(%x: tensor<4x80xsi8>, %m: tensor<80xsi32>) -> tensor<4x80xui8> {
  %0 = graph.int_softmax %x mul %m : tensor<80xsi32> {a = 1, b = 173, c = 15599, log2 = 127, requant = #graph.requant<mul = 1, add = 0, shift = 2, min = 0, max = 255>} : tensor<4x80xsi8> -> tensor<4x80xui8>
  func.return %0 : tensor<4x80xui8>
}

// CHECK-LABEL: func.func @columns(
// CHECK-NEXT:    %exponentials = graph.constant dense_resource<exponentials0> : tensor<256xsi32>
// CHECK-NEXT:    %0 = graph.int_softmax %x table %exponentials : tensor<256xsi32> mul %m : tensor<80xsi32> {a = 1 : i64, b = 173 : i64, c = 15599 : i64, log2 = 127 : i64, requant = {{.*}}} : tensor<4x80xsi8> -> tensor<4x80xui8>

// -----

// Fetching a table takes longer than computing a few exponentials.

func.func @small(%x: tensor<3x80xsi8>) -> tensor<3x80xui8> {
  %0 = graph.int_softmax %x {a = 1, b = 173, c = 15599, log2 = 127} : tensor<3x80xsi8> -> tensor<3x80xui8>
  func.return %0 : tensor<3x80xui8>
}

// CHECK-LABEL: func.func @small(
// CHECK-NEXT:    %0 = graph.int_softmax %x {

// -----

// A function of bytes is looked up; the table holds what is stored, which --check-semantics compares.

func.func @functions(%x: tensor<4x80xsi8>) -> (tensor<4x80xsi8>, tensor<4x80xui8>) {
  %0 = graph.int_hardswish %x {one_over_six = 42, three = 122, six = 245, requant = #graph.requant<mul = 36, add = 32768, shift = 16, min = -128, max = 127>} : tensor<4x80xsi8> -> tensor<4x80xsi8>
  %1 = graph.int_gelu %x {b = -40, one = 1743, requant = #graph.requant<mul = 3, add = 0, shift = 12, min = 0, max = 255>} : tensor<4x80xsi8> -> tensor<4x80xui8>
  func.return %0, %1 : tensor<4x80xsi8>, tensor<4x80xui8>
}

// CHECK-LABEL: func.func @functions(
// CHECK-NEXT:    %results = graph.constant dense_resource<results1> : tensor<256xui8>
// CHECK-NEXT:    %results_1 = graph.constant dense_resource<results0> : tensor<256xsi8>
// CHECK-NEXT:    %0 = graph.lookup %x in %results_1 : tensor<4x80xsi8> in tensor<256xsi8> -> tensor<4x80xsi8>
// CHECK-NEXT:    %1 = graph.lookup %x in %results : tensor<4x80xsi8> in tensor<256xui8> -> tensor<4x80xui8>

// MEM-LABEL: func.func @functions(
// MEM: cluster.call "dpl_lookup_s8_u8" of "cluster" ins(%{{.*}}, %results{{.*}} : memref<4x80xsi8, #mem.level<"L1">>, memref<256xui8, #mem.level<"L1">>)

// -----

// Not of words, of columns with factors of their own, or of fewer bytes than a table has.

func.func @computed(%x: tensor<4x80xsi8>, %m: tensor<80xsi32>, %y: tensor<3x80xsi8>) -> (tensor<4x80xsi32>, tensor<4x80xsi8>, tensor<3x80xsi8>) {
  %0 = graph.int_hardswish %x {one_over_six = 42, three = 122, six = 245} : tensor<4x80xsi8> -> tensor<4x80xsi32>
  %1 = graph.int_hardswish %x mul %m : tensor<80xsi32> {one_over_six = 42, three = 122, six = 245, requant = #graph.requant<mul = 1, add = 0, shift = 16, min = -128, max = 127>} : tensor<4x80xsi8> -> tensor<4x80xsi8>
  %2 = graph.int_hardswish %y {one_over_six = 42, three = 122, six = 245, requant = #graph.requant<mul = 36, add = 0, shift = 16, min = -128, max = 127>} : tensor<3x80xsi8> -> tensor<3x80xsi8>
  func.return %0, %1, %2 : tensor<4x80xsi32>, tensor<4x80xsi8>, tensor<3x80xsi8>
}

// CHECK-LABEL: func.func @computed(
// CHECK-NOT: graph.lookup
