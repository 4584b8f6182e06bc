// RUN: deeploy-opt %s -p cse --timing 2>&1 >%t | filecheck %s

func.func @main() {
  func.return
}

// CHECK:      // -----// Execution time //----- //
// CHECK-NEXT: {{ +[0-9.]+ s +[0-9.]+%}} (parse)
// CHECK-NEXT: {{ +[0-9.]+ s +[0-9.]+%}} cse
// CHECK-NEXT: {{ +[0-9.]+ s +[0-9.]+%}} (print)
// CHECK-NEXT: {{ +[0-9.]+ s +[0-9.]+%}} (verification)
// CHECK-NEXT: {{ +[0-9.]+ s +[0-9.]+%}} (start, instruments)
// CHECK-NEXT: {{ +[0-9.]+ s +100.0%}} total
