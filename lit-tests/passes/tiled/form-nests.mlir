// RUN: deeploy-opt %s -p form-nests | filecheck %s

// Each placed op gets a nest of its own; constants and reshapes stay outside. Names stay, and a
// tensor that is read twice is two arguments of the body.

func.func @network(%x: tensor<4x6xsi8>) -> tensor<24xsi32> {
  %c = graph.constant dense<1> : tensor<6xsi8>
  %y = graph.add %x, %x {engine = "cluster"} : tensor<4x6xsi8>, tensor<4x6xsi8> -> tensor<4x6xsi32>
  %z = graph.reshape %y : tensor<4x6xsi32> -> tensor<24xsi32>
  func.return %z : tensor<24xsi32>
}

// CHECK:      %c = graph.constant dense<1> : tensor<6xsi8>
// CHECK-NEXT: %y = tiled.nest ins(%x, %x : tensor<4x6xsi8>, tensor<4x6xsi8>) -> tensor<4x6xsi32> attributes {engine = "cluster"} {
// CHECK-NEXT: ^bb0(%x_1: tensor<4x6xsi8>, %x_2: tensor<4x6xsi8>):
// CHECK-NEXT:   %y_1 = graph.add %x_1, %x_2 : tensor<4x6xsi8>, tensor<4x6xsi8> -> tensor<4x6xsi32>
// CHECK-NEXT:   tiled.yield %y_1 : tensor<4x6xsi32>
// CHECK-NEXT: }
// CHECK-NEXT: %z = graph.reshape %y : tensor<4x6xsi32> -> tensor<24xsi32>
