// RUN: rm -f %t.mlir && not %broken-opt %s -p 'canonicalize,test-fail{op="func.func"},cse' --reproducer %t.mlir 2>&1 | filecheck %s
// RUN: cat %t.mlir | filecheck %s --check-prefix=FILE
// RUN: not %broken-opt %t.mlir -p 'test-fail{op="func.func"},cse' 2>&1 | filecheck %s --check-prefix=AGAIN
// RUN: not %broken-opt %s -p test-crash --reproducer %t.mlir 2>&1 | filecheck %s --check-prefix=CRASH

func.func @main(%a: i32) -> i32 {
  %dead = arith.constant 1 : i32
  func.return %a : i32 loc("Relu_3")
} loc("main_graph")

// CHECK:      error: pass 'test-fail': func.func 'main_graph': cannot be tested; try another one; reproducer written to {{.*}}.tmp.mlir
// CHECK-NOT:  {{.}}

// The IR before the failing pass, with node names, and what is left of the pipeline.

// FILE:       // test-fail: func.func 'main_graph': cannot be tested; try another one
// FILE-NEXT:  // deeploy-opt {{.*}}.tmp.mlir -p 'test-fail{op="func.func"},cse'
// FILE-NEXT:  builtin.module {
// FILE-NOT:   dead
// FILE-NOT:   half_done
// FILE:       func.return %a : i32 loc("Relu_3")

// AGAIN:      error: pass 'test-fail': func.func 'main_graph': cannot be tested; try another one

// A bug keeps its traceback.

// CRASH:      Traceback
// CRASH:      KeyError: 'nobody'
// CRASH:      in pass 'test-crash'; reproducer written to
