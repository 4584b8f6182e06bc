// RUN: %invalid | filecheck %s

func.func @same_block(%a: i32) -> i32 {
  %c = arith.addi %b, %a : i32 loc("Add_1")
  %b = arith.addi %a, %a : i32
  func.return %c : i32
}

// CHECK: arith.addi 'Add_1': operand 0 is used before it is defined

// -----

// Values from outside are visible inside.
func.func @nested(%lb: index) {
  scf.for %i = %lb to %lb step %lb {
    %b = arith.addi %i, %lb : index
  }
  func.return
}

// CHECK: func.func @nested
