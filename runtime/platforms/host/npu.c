// SPDX-License-Identifier: Apache-2.0
//
// Host platform: contexts and queue of the accelerator. Jobs run when transfers do, see platform.c:
// in a thread of their own, as late as the interface allows, or at their trigger.
#define _POSIX_C_SOURCE 200809L
#include "deeploy/npu.h"
#include "host.h"

#include <pthread.h>
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
  uint32_t jobs; // triggered so far: job n is in context n % 2
  uint32_t unwaited;
  int acquired;
  int running; // the thread exists
  pthread_t thread;
} npu;

// Shared with the thread, under the lock. A job stays in the queue until it has run.
static struct {
  pthread_mutex_t lock;
  pthread_cond_t added, done;
  context item[CONTEXTS];
  uint32_t head, length;
  int stop;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER,
           .added = PTHREAD_COND_INITIALIZER,
           .done = PTHREAD_COND_INITIALIZER};

static void refuse(const char *why) {
  fprintf(stderr, "deeploy: accelerator: %s\n", why);
  abort();
}

void npu_arenas(const dpl_arena *arenas, uint32_t count) {
  npu.arenas = arenas;
  npu.count = count;
  memset(npu.contexts, POISON, sizeof npu.contexts);
}

// Runs the oldest job; called with the lock held, which is free meanwhile.
static void run_head(int poison) {
  context job = queue.item[queue.head];
  pthread_mutex_unlock(&queue.lock);
  if (poison)
    npu_poison(job.value, npu.arenas, npu.count);
  npu_run(job.value, npu.arenas, npu.count);
  pthread_mutex_lock(&queue.lock);
  queue.head = (queue.head + 1) % CONTEXTS;
  queue.length--;
  pthread_cond_signal(&queue.done);
}

static void *npu_main(void *unused) {
  (void)unused;
  pthread_mutex_lock(&queue.lock);
  for (;;) {
    while (queue.length == 0 && !queue.stop)
      pthread_cond_wait(&queue.added, &queue.lock);
    if (queue.length == 0)
      break;
    // Poisoned here and not at the trigger: the job before may write the same pixels.
    run_head(1);
  }
  pthread_mutex_unlock(&queue.lock);
  return NULL;
}

static void start_thread(void) {
  queue.stop = 0;
  if (pthread_create(&npu.thread, NULL, npu_main, NULL) != 0)
    refuse("cannot start its thread");
  npu.running = 1;
}

// Until no more than `length` jobs are left.
static void drain(uint32_t length) {
  pthread_mutex_lock(&queue.lock);
  while (queue.length > length) {
    if (npu.running)
      pthread_cond_wait(&queue.done, &queue.lock);
    else
      run_head(0);
  }
  pthread_mutex_unlock(&queue.lock);
}

uint32_t dpl_npu_acquire(void) {
  if (npu.acquired)
    refuse("a context was acquired twice");
  drain(CONTEXTS - 1);
  npu.acquired = 1;
  return npu.jobs;
}

void dpl_npu_write(uint32_t reg, uint32_t value) {
  if (!npu.acquired)
    refuse("a register was written without a context");
  if (reg >= DPL_NPU_REGISTERS)
    refuse("there is no such register");
  npu.contexts[npu.jobs % CONTEXTS].value[reg] = value;
}

void dpl_npu_trigger(void) {
  const context *job = &npu.contexts[npu.jobs % CONTEXTS];
  enum mode mode = host_mode();
  if (!npu.acquired)
    refuse("a job was triggered without a context");
  npu.acquired = 0;
  npu.unwaited++;
  npu.jobs++;
  if (mode == MODE_IMMEDIATE) {
    npu_run(job->value, npu.arenas, npu.count);
    return;
  }
  if (mode == MODE_THREAD && !npu.running)
    start_thread();
  if (mode == MODE_DEFERRED)
    npu_poison(job->value, npu.arenas, npu.count);
  pthread_mutex_lock(&queue.lock);
  queue.item[(queue.head + queue.length++) % CONTEXTS] = *job;
  pthread_cond_signal(&queue.added);
  pthread_mutex_unlock(&queue.lock);
}

void dpl_npu_wait(void) { dpl_npu_wait_until(npu.jobs); }

uint32_t dpl_npu_mark(void) { return npu.jobs; }

void dpl_npu_wait_until(uint32_t mark) {
  uint32_t later = npu.jobs - mark;
  if (npu.unwaited > later)
    npu.unwaited = later;
  drain(later);
}

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
  int bad = npu.unwaited > 0;
  if (bad)
    fprintf(stderr, "deeploy: accelerator: jobs without a wait\n");
  dpl_npu_wait();
  if (npu.running) {
    pthread_mutex_lock(&queue.lock);
    queue.stop = 1;
    pthread_cond_signal(&queue.added);
    pthread_mutex_unlock(&queue.lock);
    pthread_join(npu.thread, NULL);
    npu.running = 0;
  }
  return bad;
}
