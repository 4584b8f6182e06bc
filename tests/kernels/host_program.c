// SPDX-License-Identifier: Apache-2.0
//
// Exercises the host platform; test_host.py says what each case must do.
#define _POSIX_C_SOURCE 200809L // nanosleep
#include "deeploy/platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 50
#define MAX_CORES 8

DPL_ARENA(test_L1, 3000)
DPL_ARENA(test_L2, 5003)
static const dpl_arena arenas[] = {{"L1", test_L1, 3000, 0}, {"L2", test_L2, 5003, 0}};

static const char *chosen;
static uint32_t core_count;
static int failures;
static volatile int32_t behind = 7; // not a constant, or AddressSanitizer would not look

static int chose(const char *name) { return strcmp(chosen, name) == 0; }

static void expect(int condition, const char *what) {
  if (!condition) {
    fprintf(stderr, "failed: %s\n", what);
    failures++;
  }
}

// Plain and 2-D transfers on two channels at once; more of them than the queue holds.
static void copies(void) {
  for (uint32_t i = 0; i < 5003; i++)
    test_L2[i] = (uint8_t)(i * 7 + i / 256);
  for (uint32_t i = 0; i < 200; i++)
    dpl_dma_start(i % 2, test_L1 + 10 * i, test_L2 + 3 + 10 * i, 10);
  dpl_dma_wait(0);
  for (uint32_t i = 0; i < 2000; i += 20)
    expect(memcmp(test_L1 + i, test_L2 + 3 + i, 10) == 0, "transfers of channel 0 are complete");
  dpl_dma_wait(1);
  expect(memcmp(test_L1, test_L2 + 3, 2000) == 0, "all transfers are complete");
  dpl_dma_start_2d(5, test_L1 + 2000, test_L2 + 100, 9, 20, 30, 50);
  dpl_dma_wait(5);
  for (uint32_t r = 0; r < 20; r++) {
    expect(memcmp(test_L1 + 2000 + 30 * r, test_L2 + 100 + 50 * r, 9) == 0, "row of 2-D transfer");
    expect(test_L1[2000 + 30 * r + 9] == 0xA5, "nothing between rows");
  }
  dpl_dma_start(1, test_L2, test_L1, 500);
  dpl_dma_wait(1);
  expect(dpl_dma_bytes(1, 0) == 2180 && dpl_dma_bytes(0, 1) == 500, "bytes are counted");
}

// Cores take turns in computing on what DMA brought: a pipeline with two buffers.
static void pipeline(uint32_t core) {
  for (uint32_t round = 0; round < ROUNDS; round++) {
    uint8_t *buffer = test_L1 + round % 2 * 64;
    if (core == 0) {
      memset(test_L2 + 64 * (round % 4), (int)round, 64);
      dpl_dma_start(round % 2, buffer, test_L2 + 64 * (round % 4), 64);
      dpl_dma_wait(round % 2);
    }
    dpl_barrier();
    for (uint32_t i = core; i < 64; i += core_count)
      buffer[i] = (uint8_t)(buffer[i] + i);
    dpl_barrier();
    if (core == core_count - 1)
      for (uint32_t i = 0; i < 64; i++)
        expect(buffer[i] == (uint8_t)(round + i), "results of all cores");
  }
}

static void entry(uint32_t core) {
  if (chose("pipeline"))
    pipeline(core);
  if (core != 0)
    return;
  if (chose("copies"))
    copies();
  if (chose("early")) { // reads before the wait
    memset(test_L2, 1, 100);
    dpl_dma_start(0, test_L1, test_L2, 100);
    // A copy that starts only when it is waited for is behind the read, and no race.
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    printf("%02x\n", test_L1[50]);
    dpl_dma_wait(0);
    printf("%02x\n", test_L1[50]);
  }
  if (chose("unwaited"))
    dpl_dma_start(3, test_L1, test_L2, 100);
  if (chose("outside"))
    dpl_dma_start(0, test_L1 + 2990, test_L2, 20);
  if (chose("foreign"))
    dpl_dma_start(0, test_L1, &failures, 4);
  if (chose("below"))
    test_L1[2 - behind] = 0;
  if (chose("above"))
    test_L2[5003 + behind] = 0;
}

int main(int argc, char **argv) {
  chosen = argc > 1 ? argv[1] : "";
  core_count = argc > 2 ? (uint32_t)atoi(argv[2]) : 1;
  dpl_arenas_prepare(arenas, 2);
  expect(test_L1[0] == 0xA5 && test_L2[5002] == 0xA5, "data is poisoned");
  int bad = dpl_cluster_run(entry, core_count);
  bad |= dpl_arenas_check(arenas, 2);
  return bad || failures;
}
