// RUN: %invalid | filecheck %s

func.func @rank(%c: tensor<2x7x4xsi8>, %r: tensor<1x4xsi8>) -> tensor<2x7x4xsi8> {
  %0 = graph.insert %r into %c {axis = 1 : i64, offset = 6 : i64} : tensor<1x4xsi8> into tensor<2x7x4xsi8> -> tensor<2x7x4xsi8>
  func.return %0 : tensor<2x7x4xsi8>
}
// CHECK: 'graph.insert' needs rows of its destination's rank

// -----

func.func @beside(%c: tensor<2x7x4xsi8>, %r: tensor<1x1x4xsi8>) -> tensor<2x7x4xsi8> {
  %0 = graph.insert %r into %c {axis = 1 : i64, offset = 6 : i64} : tensor<1x1x4xsi8> into tensor<2x7x4xsi8> -> tensor<2x7x4xsi8>
  func.return %0 : tensor<2x7x4xsi8>
}
// CHECK: 'graph.insert' needs rows that are whole beside its axis

// -----

func.func @beyond(%c: tensor<2x7x4xsi8>, %r: tensor<2x1x4xsi8>) -> tensor<2x7x4xsi8> {
  %0 = graph.insert %r into %c {axis = 1 : i64, offset = 7 : i64} : tensor<2x1x4xsi8> into tensor<2x7x4xsi8> -> tensor<2x7x4xsi8>
  func.return %0 : tensor<2x7x4xsi8>
}
// CHECK: 'graph.insert' reaches over the 7 rows there are
