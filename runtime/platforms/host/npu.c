// SPDX-License-Identifier: Apache-2.0
//
// Host platform: contexts of the accelerator. Jobs run when transfers do, see platform.c: in a
// thread of their own, as late as the interface allows, or at their trigger.
#define _POSIX_C_SOURCE 200809L
#include "deeploy/npu.h"
#include "host.h"
#include "queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXTS 2

typedef struct {
  uint32_t value[DPL_NPU_REGISTERS];
} context;

// Used by core 0 only.
static struct {
  const dpl_arena *arenas;
  uint32_t count;
  context contexts[CONTEXTS];
  int acquired;
} npu;

static void run(const void *item) {
  const context *job = item;
  // In a thread, poisoned here and not at the trigger: the job before may write the same pixels.
  if (host_mode() == MODE_THREAD)
    npu_poison(job->value, npu.arenas, npu.count);
  npu_run(job->value, npu.arenas, npu.count);
}

static context items[CONTEXTS];
static work_queue jobs = {
    .work = run, .items = items, .size = sizeof items[0], .capacity = CONTEXTS};

// Job n is in context n % 2.
static context *next_context(void) { return &npu.contexts[jobs.started % CONTEXTS]; }

static void refuse(const char *why) {
  fprintf(stderr, "deeploy: accelerator: %s\n", why);
  abort();
}

void npu_arenas(const dpl_arena *arenas, uint32_t count) {
  npu.arenas = arenas;
  npu.count = count;
  memset(npu.contexts, POISON, sizeof npu.contexts);
}

uint32_t dpl_npu_acquire(void) {
  if (npu.acquired)
    refuse("a context was acquired twice");
  queue_drain(&jobs, CONTEXTS - 1);
  npu.acquired = 1;
  return jobs.started;
}

void dpl_npu_write(uint32_t reg, uint32_t value) {
  if (!npu.acquired)
    refuse("a register was written without a context");
  if (reg >= DPL_NPU_REGISTERS)
    refuse("there is no such register");
  next_context()->value[reg] = value;
}

void dpl_npu_trigger(void) {
  const context *job = next_context();
  if (!npu.acquired)
    refuse("a job was triggered without a context");
  npu.acquired = 0;
  if (host_mode() == MODE_DEFERRED)
    npu_poison(job->value, npu.arenas, npu.count);
  queue_add(&jobs, job);
}

uint32_t dpl_npu_mark(void) { return jobs.started; }

void dpl_npu_wait_until(uint32_t mark) { queue_wait(&jobs, mark); }

void dpl_npu_wait(void) { dpl_npu_wait_until(dpl_npu_mark()); }

uint32_t dpl_npu_address(const void *pointer) {
  uintptr_t at = (uintptr_t)pointer;
  for (uint32_t i = 0; i < npu.count; i++) {
    uintptr_t base = (uintptr_t)npu.arenas[i].base;
    if (at >= base && at - base < npu.arenas[i].size)
      return npu.arenas[i].address + (uint32_t)(at - base);
  }
  refuse("a buffer is in no arena");
  return 0;
}

int npu_finish(void) {
  int bad = queue_finish(&jobs);
  if (bad)
    fprintf(stderr, "deeploy: accelerator: jobs without a wait\n");
  return bad;
}
