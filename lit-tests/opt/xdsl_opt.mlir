// RUN: xdsl-opt %s | filecheck %s

// Plain xdsl-opt finds our dialects and passes through the entry point.

func.func @network(%a: tensor<2xsi8>) -> tensor<2xsi8> {
  %b = graph.add %a, %a : tensor<2xsi8>, tensor<2xsi8> -> tensor<2xsi8>
  func.return %b : tensor<2xsi8>
}

// CHECK: graph.add
