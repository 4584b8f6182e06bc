// SPDX-License-Identifier: Apache-2.0
//
// Runs jobs on the host's model of the accelerator, each in a process of its own on fresh memories.
// stdin: bytes of L1 and of the weight memory, number of jobs; then both memories, then the
// registers of each job. stdout: for each job 1 if it ran, 0 if it was refused; then L1.
#define _DEFAULT_SOURCE
#include "deeploy/npu.h"
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void *shared(size_t bytes) {
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    exit(2);
  return memory;
}

static void get(void *data, size_t bytes) {
  if (fread(data, 1, bytes, stdin) != bytes)
    exit(2);
}

int main(void) {
  uint32_t sizes[3], registers[DPL_NPU_REGISTERS];
  get(sizes, sizeof sizes);
  uint8_t *l1 = shared(sizes[0]), *weights = shared(sizes[1]), *before = shared(sizes[0]);
  dpl_arena arenas[] = {{"L1", l1, sizes[0], 0x10000000}, {"WMEM", weights, sizes[1], 0}};
  get(before, sizes[0]);
  get(weights, sizes[1]);
  for (uint32_t job = 0; job < sizes[2]; job++) {
    int status;
    get(registers, sizeof registers);
    memcpy(l1, before, sizes[0]);
    pid_t child = fork();
    if (child == 0) {
      npu_poison(registers, arenas, 2);
      npu_run(registers, arenas, 2);
      _exit(0);
    }
    waitpid(child, &status, 0);
    putchar(status == 0);
    fwrite(l1, 1, sizes[0], stdout);
  }
  return 0;
}
