// RUN: deeploy-opt %s --split-input-file -p fuse-addends --check-semantics | filecheck %s
// RUN: deeploy-opt %s --split-input-file -p 'fuse-addends,set-target{target=siracusa},place,form-nests,fuse-nests,plan,check-plan,bufferize,tile,insert-dma,pipeline,assign-addresses,overlap,insert-barriers' --check-semantics | filecheck %s --check-prefix=MEM

// A mask joins the scores, whichever side of the sum they are; the order of what is done to them
// stays.

func.func @mask(%q: tensor<3x2x4xsi8>, %k: tensor<3x5x4xsi8>, %m: tensor<2x5xsi8>) -> tensor<3x2x5xsi8> {
  %0 = graph.matmul %q, %k {transpose_rhs, requant = #graph.requant<mul = 626, add = 32768, shift = 16, min = -128, max = 127>} : tensor<3x2x4xsi8>, tensor<3x5x4xsi8> -> tensor<3x2x5xsi8>
  %1 = graph.add %m, %0 {rhs_requant = #graph.requant<mul = 8191, add = 8192, shift = 14, min = -2147483648, max = 2147483647>, requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<2x5xsi8>, tensor<3x2x5xsi8> -> tensor<3x2x5xsi8>
  func.return %1 : tensor<3x2x5xsi8>
}

// CHECK-LABEL: func.func @mask(
// CHECK-NEXT:    %0 = graph.matmul_add %q, %k, %m {transpose_rhs, product_requant = #graph.requant<mul = 626, add = 32768, shift = 16, min = -128, max = 127>, scale = #graph.requant<mul = 8191, add = 8192, shift = 14, min = -2147483648, max = 2147483647>, requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<3x2x4xsi8>, tensor<3x5x4xsi8>, tensor<2x5xsi8> -> tensor<3x2x5xsi8>
// CHECK-NEXT:    func.return %0

// MEM-LABEL: func.func @mask(
// MEM: cluster.call "dpl_matmul_add_s8_s8_s8_s8_a_rounded14_m2147483648_2147483647_y_m128_127_4" of "cluster"

// -----

// What is added is computed in the same nest.

func.func @scaled_mask(%q: tensor<3x1x20xsi8>, %k: tensor<3x5x20xsi8>, %m: tensor<5xsi8>) -> tensor<3x1x5xsi8> {
  %0 = graph.matmul %q, %k {transpose_rhs, requant = #graph.requant<mul = 3, add = 8, shift = 10, min = -128, max = 127>} : tensor<3x1x20xsi8>, tensor<3x5x20xsi8> -> tensor<3x1x5xsi8>
  %1 = graph.requant %m {requant = #graph.requant<mul = 200, add = 0, shift = 2, min = -128, max = 127>} : tensor<5xsi8> -> tensor<5xsi8>
  %2 = graph.add %0, %1 {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<3x1x5xsi8>, tensor<5xsi8> -> tensor<3x1x5xsi8>
  func.return %2 : tensor<3x1x5xsi8>
}

// CHECK-LABEL: func.func @scaled_mask(
// CHECK: graph.matmul_add %q, %k, %0 {transpose_rhs, product_requant = #graph.requant<mul = 3, add = 8, shift = 10, min = -128, max = 127>, requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>}

// MEM-LABEL: func.func @scaled_mask(
// MEM: cluster.call "dpl_requant_s8_s8_y_shifted2_m128_127" of "cluster" ins(%{{.*}} outs([[MASK:%.*]] :
// MEM: cluster.call "dpl_matmul_add_s8_s8_s8_s8_y_m128_127" of "cluster" ins(%{{.*}}, %{{.*}}, [[MASK]] :

// -----

// What stays: products of weights, which accelerators take; products that somebody else reads, that
// grow in the sum or have factors of columns; addends that are requantised or the same in all
// columns.

func.func @others(%x: tensor<4x4xsi8>, %y: tensor<4x4xsi8>, %z: tensor<2x4x4xsi8>, %c: tensor<4x1xsi8>, %v: tensor<4xsi32>) -> (tensor<4x4xsi8>, tensor<4x4xsi8>, tensor<4x4xsi8>, tensor<2x4x4xsi8>, tensor<4x4xsi8>, tensor<4x4xsi8>, tensor<4x4xsi8>) {
  %w = graph.constant dense<3> : tensor<4x4xsi8>
  %0 = graph.matmul %x, %w {requant = #graph.requant<mul = 1, add = 0, shift = 4, min = -128, max = 127>} : tensor<4x4xsi8>, tensor<4x4xsi8> -> tensor<4x4xsi8>
  %1 = graph.add %0, %x {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x4xsi8>, tensor<4x4xsi8> -> tensor<4x4xsi8>
  %2 = graph.matmul %x, %y {requant = #graph.requant<mul = 1, add = 0, shift = 4, min = -128, max = 127>} : tensor<4x4xsi8>, tensor<4x4xsi8> -> tensor<4x4xsi8>
  %3 = graph.add %2, %x {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x4xsi8>, tensor<4x4xsi8> -> tensor<4x4xsi8>
  %4 = graph.matmul %x, %y {requant = #graph.requant<mul = 1, add = 0, shift = 5, min = -128, max = 127>} : tensor<4x4xsi8>, tensor<4x4xsi8> -> tensor<4x4xsi8>
  %5 = graph.add %4, %z {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x4xsi8>, tensor<2x4x4xsi8> -> tensor<2x4x4xsi8>
  %6 = graph.matmul %x, %y mul %v : tensor<4xsi32> {requant = #graph.requant<mul = 1, add = 0, shift = 6, min = -128, max = 127>} : tensor<4x4xsi8>, tensor<4x4xsi8> -> tensor<4x4xsi8>
  %7 = graph.add %6, %x {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x4xsi8>, tensor<4x4xsi8> -> tensor<4x4xsi8>
  %8 = graph.matmul %x, %y {requant = #graph.requant<mul = 1, add = 0, shift = 7, min = -128, max = 127>} : tensor<4x4xsi8>, tensor<4x4xsi8> -> tensor<4x4xsi8>
  %9 = graph.add %8, %x {rhs_requant = #graph.requant<mul = 3, add = 0, shift = 1, min = -128, max = 127>, requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x4xsi8>, tensor<4x4xsi8> -> tensor<4x4xsi8>
  %10 = graph.matmul %x, %y {requant = #graph.requant<mul = 1, add = 0, shift = 8, min = -128, max = 127>} : tensor<4x4xsi8>, tensor<4x4xsi8> -> tensor<4x4xsi8>
  %11 = graph.add %10, %c {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x4xsi8>, tensor<4x1xsi8> -> tensor<4x4xsi8>
  func.return %1, %2, %3, %5, %7, %9, %11 : tensor<4x4xsi8>, tensor<4x4xsi8>, tensor<4x4xsi8>, tensor<2x4x4xsi8>, tensor<4x4xsi8>, tensor<4x4xsi8>, tensor<4x4xsi8>
}

// CHECK-LABEL: func.func @others(
// CHECK-NOT: graph.matmul_add

// -----

// Nor do sums of another type than their products: a kernel may leave products where sums will be.

func.func @types(%x: tensor<2x4xsi8>, %y: tensor<4x8xsi8>, %m: tensor<8xsi8>) -> (tensor<2x8xui8>, tensor<2x8xsi32>) {
  %0 = graph.matmul %x, %y {requant = #graph.requant<mul = 3, add = 8, shift = 4, min = -128, max = 127>} : tensor<2x4xsi8>, tensor<4x8xsi8> -> tensor<2x8xsi8>
  %1 = graph.add %0, %m {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = 0, max = 255>} : tensor<2x8xsi8>, tensor<8xsi8> -> tensor<2x8xui8>
  %2 = graph.matmul %x, %y {requant = #graph.requant<mul = 3, add = 8, shift = 2, min = -3000, max = 3000>} : tensor<2x4xsi8>, tensor<4x8xsi8> -> tensor<2x8xsi32>
  %3 = graph.add %2, %m : tensor<2x8xsi32>, tensor<8xsi8> -> tensor<2x8xsi32>
  func.return %1, %3 : tensor<2x8xui8>, tensor<2x8xsi32>
}

// CHECK-LABEL: func.func @types(
// CHECK-NOT: matmul_add

// MEM-LABEL: func.func @types(
// MEM: cluster.call "dpl_matmul_
