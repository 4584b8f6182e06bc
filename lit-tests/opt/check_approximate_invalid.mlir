// RUN: not %broken-opt %s -p test-break-slightly --check-semantics 2>&1 >%t | filecheck %s

// An approximate pass may not change results by more than it says.

func.func @network(%a: tensor<64xf32> {deeploy.min = 0.0 : f64, deeploy.max = 1.0 : f64}, %b: tensor<64xf32> {deeploy.min = 0.0 : f64, deeploy.max = 1.0 : f64}) -> (tensor<64xf32>, tensor<64xf32>) {
  func.return %a, %b : tensor<64xf32>, tensor<64xf32>
}

// CHECK: error: pass 'test-break-slightly': the program changed: output 0 is off by 0.{{[34][0-9]*}} (root mean square), not 0.00{{[0-9]+}}
