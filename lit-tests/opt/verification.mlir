// RUN: not %broken-opt %s -p cse,test-break-ir 2>&1 | filecheck %s --check-prefix=IR
// RUN: not %broken-opt %s -p cse,test-break-order 2>&1 | filecheck %s --check-prefix=ORDER
// RUN: %broken-opt %s -p cse,test-break-ir --disable-verify | filecheck %s --check-prefix=DISABLED

func.func @main(%a: i32) -> i32 {
  %b = arith.addi %a, %a : i32
  %c = arith.addi %b, %a : i32 loc("Add_2")
  func.return %c : i32 loc("Relu_3")
}

// One line that names the pass, the op and the ONNX node.

// IR:        error: pass 'test-break-ir': func.return 'Relu_3': {{.+}}
// IR-NOT:    {{.}}

// ORDER:     error: pass 'test-break-order': arith.addi 'Add_2': operand 0 is used before it is defined

// DISABLED:  func.return
