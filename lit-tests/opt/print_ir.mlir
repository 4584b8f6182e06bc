// RUN: deeploy-opt %s -p canonicalize,cse --print-ir-after-all 2>&1 >%t | filecheck %s --check-prefix=AFTER-ALL
// RUN: filecheck %s --check-prefix=RESULT --input-file=%t
// RUN: deeploy-opt %s -p canonicalize,cse --print-ir-before-all 2>&1 >%t | filecheck %s --check-prefix=BEFORE-ALL
// RUN: deeploy-opt %s -p canonicalize,cse,dce --print-ir-after=cse --print-ir-before=cse,dce 2>&1 >%t | filecheck %s --check-prefix=SOME
// RUN: not deeploy-opt %s -p cse --print-ir-after=ces 2>&1 | filecheck %s --check-prefix=UNKNOWN

func.func @main(%a: i32) -> i32 {
  %dead = arith.constant 1 : i32
  func.return %a : i32 loc("Relu_3")
}

// Dumps show node names, and the last pass too; the result on stdout shows neither.

// AFTER-ALL:      // -----// IR Dump After canonicalize //----- //
// AFTER-ALL-NEXT: builtin.module {
// AFTER-ALL-NEXT:   func.func @main(%a: i32) -> i32 {
// AFTER-ALL-NEXT:     func.return %a : i32 loc("Relu_3")
// AFTER-ALL-NEXT:   }
// AFTER-ALL-NEXT: }
// AFTER-ALL-NEXT: // -----// IR Dump After cse //----- //
// AFTER-ALL-NOT:  IR Dump

// RESULT-NOT: IR Dump
// RESULT:     func.return %a : i32{{$}}

// BEFORE-ALL:      // -----// IR Dump Before canonicalize //----- //
// BEFORE-ALL:      %dead
// BEFORE-ALL:      // -----// IR Dump Before cse //----- //
// BEFORE-ALL-NOT:  IR Dump

// SOME-NOT:  canonicalize
// SOME:      IR Dump Before cse
// SOME:      IR Dump After cse
// SOME:      IR Dump Before dce
// SOME-NOT:  IR Dump

// UNKNOWN: error: unknown pass 'ces'; did you mean {{.*}}cse
