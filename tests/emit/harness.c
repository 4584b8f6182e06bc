// Runs a network once: the bytes of all inputs on stdin, those of all outputs on stdout.
#include "network.h"

#include <stddef.h>
#include <stdio.h>

static size_t bytes(const network_tensor *tensor) {
  return (size_t)tensor->elements * tensor->element_bytes;
}

int main(void) {
  int bad;
  dpl_arenas_prepare(network_arenas, NETWORK_ARENA_COUNT);
  network_load();
  for (int i = 0; i < NETWORK_INPUT_COUNT; i++)
    if (fread(network_inputs[i].data, 1, bytes(&network_inputs[i]), stdin) !=
        bytes(&network_inputs[i]))
      return 2;
  bad = dpl_cluster_run(network_cluster, NETWORK_CORES);
  for (int i = 0; i < NETWORK_OUTPUT_COUNT; i++)
    fwrite(network_outputs[i].data, 1, bytes(&network_outputs[i]), stdout);
  return bad || dpl_arenas_check(network_arenas, NETWORK_ARENA_COUNT) != 0;
}
