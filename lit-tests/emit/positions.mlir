// RUN: deeploy-opt %s -p 'share-caches,set-target{target=siracusa cores=1 residents=false},place,form-nests,plan,bufferize,tile,insert-dma,assign-addresses,overlap,insert-barriers' -t c | filecheck %s

// A cache that grows: the program is called with the position, writes one row there and reads the
// rows up to it.

func.func @network(%past: tensor<2x7x4xsi8> {graph.name = "past", graph.symbol = {axis = 1 : i64, length = "n", plus = 0 : i64}}, %row: tensor<2x1x4xsi8> {graph.name = "row"}, %q: tensor<2x1x4xsi8> {graph.name = "q"}) -> (tensor<2x1x8xsi32> {graph.name = "scores"}, tensor<2x8x4xsi8> {graph.name = "present"}) {
  %k = graph.concat %past, %row {axis = 1 : i64} : tensor<2x7x4xsi8>, tensor<2x1x4xsi8> -> tensor<2x8x4xsi8>
  %s = graph.matmul %q, %k {transpose_rhs} : tensor<2x1x4xsi8>, tensor<2x8x4xsi8> -> tensor<2x1x8xsi32>
  func.return %s, %k : tensor<2x1x8xsi32>, tensor<2x8x4xsi8>
}

// The last two numbers: bytes of a row in each piece, and rows at position 0.

// CHECK:      const network_tensor network_inputs[] = {
// CHECK-NEXT:     {"past", DPL_ARENA_BASE(network_L2) + [[CACHE:[0-9]+]], 64, 1, 2, 32, 4, 0},
// CHECK-NEXT:     {"row", {{.*}}, 8, 1, 1, 8, 0, 0},
// CHECK:      const network_tensor network_outputs[] = {
// CHECK-NEXT:     {"scores", {{.*}}, 16, 4, 2, 32, 4, 1},
// CHECK-NEXT:     {"present", DPL_ARENA_BASE(network_L2) + [[CACHE]], 64, 1, 2, 32, 4, 1},

// CHECK:      static int32_t network_position;
// CHECK:      void network_cluster(uint32_t core) {
// CHECK-NEXT:   const int32_t position = network_position;
// CHECK:        const int32_t rows = position + 1;
// CHECK:          dpl_dma_start_2d(store, network_L2{{.*}} + position * 4, network_L1{{.*}}, 4, 2, 32, 4);
// CHECK:          dpl_dma_start_2d(load, network_L1{{.*}}, network_L2{{.*}}, rows * 4, 2, 32, 32);
// CHECK:        dpl_matmul_s8_s8_s32(
// CHECK:            {{.*}}.n = rows, .a_batch = 4, .a_row = 4, .b_batch = 32, .b_row = 4,

// CHECK:      int network_run(uint32_t position) {
// CHECK-NEXT:   if (position >= NETWORK_POSITIONS)
// CHECK-NEXT:     return 1;
// CHECK-NEXT:   network_position = (int32_t)position;
// CHECK-NEXT:   return dpl_cluster_run(network_cluster, NETWORK_CORES);
// CHECK-NEXT: }
