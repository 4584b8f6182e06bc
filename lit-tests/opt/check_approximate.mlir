// RUN: %broken-opt %s -p test-break-slightly,test-break-slightly,cse --check-semantics --split-input-file 2>&1 >%t | filecheck %s
// RUN: not %broken-opt %s -p test-break-slightly,test-break-result --check-semantics 2>&1 >%t | filecheck %s --check-prefix=NEXT

// An approximate pass may change results a little: here two inputs that are at most one apart are
// exchanged. What it made is what the passes after it have to keep.

func.func @network(%a: tensor<64xsi8> {deeploy.min = 5, deeploy.max = 6}, %b: tensor<64xsi8> {deeploy.min = 5, deeploy.max = 6}) -> (tensor<64xsi8>, tensor<64xsi8>) {
  func.return %a, %b : tensor<64xsi8>, tensor<64xsi8>
}

// CHECK: semantics: 3 passes checked, outputs unchanged

// NEXT: error: pass 'test-break-result': the program changed: output 0 differs at
