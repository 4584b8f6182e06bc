// RUN: %broken-opt %s -p canonicalize,cse --check-semantics 2>&1 >%t | filecheck %s --check-prefix=GOOD
// RUN: not %broken-opt %s -p canonicalize,test-break-result,cse --check-semantics --split-input-file 2>&1 | filecheck %s --check-prefix=BAD

func.func @network(%a: tensor<2x3xsi8>, %b: tensor<2x3xsi8> {deeploy.min = 5, deeploy.max = 6}) -> (tensor<2x3xsi8>, tensor<2x3xsi8>) {
  func.return %a, %b : tensor<2x3xsi8>, tensor<2x3xsi8>
}

// GOOD: semantics: 2 passes checked, outputs unchanged

// BAD: error: pass 'test-break-result': the program changed: output 0 differs at [0, 0]: {{5|6}} instead of {{-?[0-9]+}} ({{[0-9]+}} of 6 elements differ)
