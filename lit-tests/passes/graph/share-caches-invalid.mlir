// RUN: deeploy-opt %s --split-input-file --verify-diagnostics -p share-caches | filecheck %s

// A length that has a name, and no cache that could tell what it is.

func.func @network(%x: tensor<7xf32> {graph.symbol = {axis = 0 : i64, length = "n", plus = 0 : i64}}) -> tensor<7xf32> {
  %y = graph.copy %x : tensor<7xf32> -> tensor<7xf32>
  func.return %y : tensor<7xf32>
}
// CHECK: func.func: no input is a cache, of all that have the length 'n'; a cache is read by one concatenation only

// -----

// A concatenation whose result is not returned adds nothing to a cache.

func.func @network(%past: tensor<7x4xf32> {graph.symbol = {axis = 0 : i64, length = "n", plus = 0 : i64}}, %row: tensor<1x4xf32>, %other: tensor<7x4xf32> {graph.symbol = {axis = 0 : i64, length = "n", plus = 0 : i64}}) -> (tensor<8x4xf32>, tensor<8x4xf32>) {
  %a = graph.concat %past, %row {axis = 0 : i64} : tensor<7x4xf32>, tensor<1x4xf32> -> tensor<8x4xf32>
  %b = graph.concat %other, %row {axis = 0 : i64} : tensor<7x4xf32>, tensor<1x4xf32> -> tensor<8x4xf32> loc("late")
  %c = graph.copy %b : tensor<8x4xf32> -> tensor<8x4xf32>
  func.return %a, %c : tensor<8x4xf32>, tensor<8x4xf32>
}
// CHECK: graph.concat 'late': 'graph.concat' cannot work along dimension 0 of its operand, which is as long as the position says; masks and other values

// -----

// A mask of fixed length beside the rows of a cache.

func.func @network(%past: tensor<7x4xf32> {graph.symbol = {axis = 0 : i64, length = "n", plus = 0 : i64}}, %row: tensor<1x4xf32>, %mask: tensor<8x1xf32>) -> (tensor<8x4xf32>, tensor<8x4xf32>) {
  %a = graph.concat %past, %row {axis = 0 : i64} : tensor<7x4xf32>, tensor<1x4xf32> -> tensor<8x4xf32>
  %b = graph.mul %a, %mask : tensor<8x4xf32>, tensor<8x1xf32> -> tensor<8x4xf32> loc("mask")
  func.return %a, %b : tensor<8x4xf32>, tensor<8x4xf32>
}
// CHECK: graph.mul 'mask': 'graph.mul' has an operand of fixed extent beside one that is as long as the position says
