// RUN: %roundtrip
// RUN: %generic_roundtrip

// Rows written into a tensor in place.

func.func @insert(%cache: tensor<2x7x4xsi8>, %row: tensor<2x1x4xsi8>) -> tensor<2x7x4xsi8> {
  %0 = graph.insert %row into %cache {axis = 1 : i64, offset = 6 : i64} : tensor<2x1x4xsi8> into tensor<2x7x4xsi8> -> tensor<2x7x4xsi8>
  func.return %0 : tensor<2x7x4xsi8>
}

// CHECK-LABEL: func.func @insert(%cache: tensor<2x7x4xsi8>, %row: tensor<2x1x4xsi8>) -> tensor<2x7x4xsi8> {
// CHECK-NEXT:    %0 = graph.insert %row into %cache {axis = 1 : i64, offset = 6 : i64} : tensor<2x1x4xsi8> into tensor<2x7x4xsi8> -> tensor<2x7x4xsi8>
