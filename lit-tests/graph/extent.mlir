// RUN: %roundtrip
// RUN: %generic_roundtrip
// RUN: deeploy-opt %s -p 'set-target{target=siracusa},place,form-nests' | filecheck %s --check-prefix=NESTS
// RUN: deeploy-opt %s -p simplify,cancel-transposes,fold-constants --check-semantics | filecheck %s --check-prefix=SIMPLE

// Tensors of which a part is used: so many rows as the position says, or some more.

func.func @attention(%q: tensor<2x1x4xf32>, %past: tensor<2x8x4xf32, #graph.extent<1, position>>, %row: tensor<2x1x4xf32>, %position: index) -> tensor<2x1x4xf32> {
  %k = graph.insert %row into %past {axis = 1 : i64} : tensor<2x1x4xf32> into tensor<2x8x4xf32, #graph.extent<1, position>> -> tensor<2x8x4xf32, #graph.extent<1, position + 1>>
  %s = graph.matmul %q, %k {transpose_rhs} : tensor<2x1x4xf32>, tensor<2x8x4xf32, #graph.extent<1, position + 1>> -> tensor<2x1x8xf32, #graph.extent<2, position + 1>>
  %p = graph.softmax %s : tensor<2x1x8xf32, #graph.extent<2, position + 1>> -> tensor<2x1x8xf32, #graph.extent<2, position + 1>>
  %y = graph.matmul %p, %k : tensor<2x1x8xf32, #graph.extent<2, position + 1>>, tensor<2x8x4xf32, #graph.extent<1, position + 1>> -> tensor<2x1x4xf32>
  func.return %y : tensor<2x1x4xf32>
}

// CHECK-LABEL: func.func @attention(%q: tensor<2x1x4xf32>, %past: tensor<2x8x4xf32, #graph.extent<1, position>>, %row: tensor<2x1x4xf32>, %position: index)
// CHECK-NEXT:    %k = graph.insert %row into %past {axis = 1 : i64} : tensor<2x1x4xf32> into tensor<2x8x4xf32, #graph.extent<1, position>> -> tensor<2x8x4xf32, #graph.extent<1, position + 1>>
// CHECK-NEXT:    %s = graph.matmul %q, %k {transpose_rhs} : {{.*}} -> tensor<2x1x8xf32, #graph.extent<2, position + 1>>
// CHECK-NEXT:    %p = graph.softmax %s
// CHECK-NEXT:    %y = graph.matmul %p, %k : {{.*}} -> tensor<2x1x4xf32>

// A nest has the position as an operand where its body has such tensors.

// NESTS:      %k = tiled.nest ins(%row, %past : tensor<2x1x4xf32>, tensor<2x8x4xf32, #graph.extent<1, position>>) at %position -> tensor<2x8x4xf32, #graph.extent<1, position + 1>>
// NESTS:      %y = tiled.nest ins(%p, %k : {{.*}}) at %position -> tensor<2x1x4xf32>

// Such a dimension stays one under another shape, moves with a transpose, and broadcasts.

func.func @moves(%x: tensor<1x4x8xsi8, #graph.extent<2, position + 2>>, %y: tensor<8x1xsi8, #graph.extent<0, position + 2>>, %position: index) -> tensor<8x4xsi8, #graph.extent<0, position + 2>> {
  %0 = graph.reshape %x : tensor<1x4x8xsi8, #graph.extent<2, position + 2>> -> tensor<2x2x8xsi8, #graph.extent<2, position + 2>>
  %1 = graph.reshape %0 : tensor<2x2x8xsi8, #graph.extent<2, position + 2>> -> tensor<4x8xsi8, #graph.extent<1, position + 2>>
  %2 = graph.transpose %1 {permutation = array<i64: 1, 0>} : tensor<4x8xsi8, #graph.extent<1, position + 2>> -> tensor<8x4xsi8, #graph.extent<0, position + 2>>
  %3 = graph.max %2, %y : tensor<8x4xsi8, #graph.extent<0, position + 2>>, tensor<8x1xsi8, #graph.extent<0, position + 2>> -> tensor<8x4xsi8, #graph.extent<0, position + 2>>
  func.return %3 : tensor<8x4xsi8, #graph.extent<0, position + 2>>
}

// CHECK-LABEL: func.func @moves
// CHECK-NEXT:    %0 = graph.reshape
// CHECK-NEXT:    %1 = graph.reshape
// CHECK-NEXT:    %2 = graph.transpose %1 {permutation = array<i64: 1, 0>} : tensor<4x8xsi8, #graph.extent<1, position + 2>> -> tensor<8x4xsi8, #graph.extent<0, position + 2>>
// CHECK-NEXT:    %3 = graph.max

// What the optimisations of the graph write has extents too.

// SIMPLE-LABEL: func.func @moves
// SIMPLE-NEXT:    %0 = graph.reshape %x : tensor<1x4x8xsi8, #graph.extent<2, position + 2>> -> tensor<4x8xsi8, #graph.extent<1, position + 2>>
