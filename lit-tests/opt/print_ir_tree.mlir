// RUN: rm -rf %t && deeploy-opt %s -p canonicalize,cse --print-ir-tree-dir %t
// RUN: ls %t | filecheck %s --check-prefix=FILES
// RUN: cat %t/00_input.mlir | filecheck %s --check-prefix=INPUT
// RUN: cat %t/01_canonicalize.mlir | filecheck %s --check-prefix=FIRST
// RUN: deeploy-opt %t/01_canonicalize.mlir -p cse | filecheck %s --check-prefix=AGAIN

func.func @main(%a: tensor<20xsi8>) -> tensor<20xsi8> {
  %dead = arith.constant 1 : i32
  func.return {w = dense_resource<w> : tensor<2xsi8>} %a : tensor<20xsi8> loc("Relu_3")
}

{-#
  dialect_resources: {
    builtin: { w: "0x0100000007F8" }
  }
#-}

// FILES:      00_input.mlir
// FILES-NEXT: 01_canonicalize.mlir
// FILES-NEXT: 02_cse.mlir

// INPUT:      // deeploy-opt {{.*}}00_input.mlir -p canonicalize,cse
// INPUT:      %dead

// FIRST:      // deeploy-opt {{.*}}01_canonicalize.mlir -p cse
// FIRST-NOT:  %dead
// FIRST:      loc("Relu_3")
// FIRST:      w: "0x0100000007F8"

// AGAIN:      func.return
// AGAIN:      w: "0x0100000007F8"
