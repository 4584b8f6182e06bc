// RUN: deeploy-opt %s --verify-diagnostics -p 'set-target{target=siracusa},schedule' | filecheck %s

func.func @registers() {
  %q = npu.queue of "neureka"
  %job = npu.acquire %q
  func.return
}

// CHECK: npu.acquire: the job is a driver's work already; run 'schedule' before
