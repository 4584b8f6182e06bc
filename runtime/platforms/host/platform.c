// SPDX-License-Identifier: Apache-2.0
//
// Host platform: DMA engine, cores with their barrier, arenas. The accelerator is in npu.c.
//
// The environment variable DEEPLOY_DMA selects when the DMA engine moves bytes, and likewise when
// jobs of the accelerator run:
//   thread     (default) a thread of its own works through the queue of each channel
//   deferred   in dpl_dma_wait of the channel: the latest moment the interface allows
//   immediate  in dpl_dma_start: the earliest one
// In the first two modes a destination holds poison until its bytes arrive, so that code which
// does not wait computes visibly wrong results.
#define _POSIX_C_SOURCE 200809L
#include "host.h"
#include "queue.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define GUARD_CLOSE(p) ASAN_POISON_MEMORY_REGION((p), DPL_ARENA_GUARD)
#define GUARD_OPEN(p) ASAN_UNPOISON_MEMORY_REGION((p), DPL_ARENA_GUARD)
#else
#define GUARD_CLOSE(p) ((void)(p))
#define GUARD_OPEN(p) ((void)(p))
#endif

#define GUARD_PATTERN 0x5C
#define MAX_CORES 64
#define QUEUE_CAPACITY 64

typedef struct {
  uint8_t *dst;
  const uint8_t *src;
  uint32_t row_bytes, rows, dst_stride, src_stride;
} transfer;

// Used by core 0 only.
static struct {
  const dpl_arena *arenas;
  uint32_t count;
  uint64_t moved[DPL_ARENAS_MAX][DPL_ARENAS_MAX];
  enum mode mode;
  transfer items[DPL_DMA_CHANNELS][QUEUE_CAPACITY];
  work_queue channels[DPL_DMA_CHANNELS];
} engine;

// The library fills and copies large blocks with instructions that repeat for each byte. They are
// fast, but a tool that counts instructions counts every repetition, more than the kernels have.
#define BLOCK 1024

static void fill(uint8_t *dst, int value, size_t bytes) {
  for (; bytes > BLOCK; bytes -= BLOCK, dst += BLOCK)
    memset(dst, value, BLOCK);
  memset(dst, value, bytes);
}

static void copy(uint8_t *dst, const uint8_t *src, size_t bytes) {
  for (; bytes > BLOCK; bytes -= BLOCK, dst += BLOCK, src += BLOCK)
    memcpy(dst, src, BLOCK);
  memcpy(dst, src, bytes);
}

static void move(const void *item) {
  const transfer *t = item;
  for (uint32_t r = 0; r < t->rows; r++)
    copy(t->dst + (size_t)r * t->dst_stride, t->src + (size_t)r * t->src_stride, t->row_bytes);
}

static void poison(const transfer *t) {
  for (uint32_t r = 0; r < t->rows; r++)
    fill(t->dst + (size_t)r * t->dst_stride, POISON, t->row_bytes);
}

// ------------------------------------------------------------------------------ DMA bookkeeping

static void dma_arenas(const dpl_arena *arenas, uint32_t count) {
  if (count > DPL_ARENAS_MAX) {
    fprintf(stderr, "deeploy: %u arenas, the limit is %d\n", (unsigned)count, DPL_ARENAS_MAX);
    abort();
  }
  engine.arenas = arenas;
  engine.count = count;
  memset(engine.moved, 0, sizeof engine.moved);
  for (uint32_t channel = 0; channel < DPL_DMA_CHANNELS; channel++) {
    work_queue *queue = &engine.channels[channel];
    queue->work = move;
    queue->items = engine.items[channel];
    queue->size = sizeof(transfer);
    queue->capacity = QUEUE_CAPACITY;
  }
}

static uint32_t arena_of(const char *role, const void *start, uint64_t bytes) {
  uintptr_t first = (uintptr_t)start;
  for (uint32_t i = 0; i < engine.count; i++) {
    uintptr_t base = (uintptr_t)engine.arenas[i].base;
    if (first >= base && bytes <= engine.arenas[i].size &&
        first - base <= engine.arenas[i].size - bytes)
      return i;
  }
  fprintf(stderr, "deeploy: DMA %s of %llu bytes at %p is not inside one arena\n", role,
          (unsigned long long)bytes, start);
  abort();
}

static work_queue *channel_of(uint32_t channel) {
  if (channel >= DPL_DMA_CHANNELS) {
    fprintf(stderr, "deeploy: DMA channel %u, the limit is %d\n", (unsigned)channel,
            DPL_DMA_CHANNELS);
    abort();
  }
  return &engine.channels[channel];
}

static void account(const transfer *t) {
  uint64_t dst_span = (uint64_t)(t->rows - 1) * t->dst_stride + t->row_bytes;
  uint64_t src_span = (uint64_t)(t->rows - 1) * t->src_stride + t->row_bytes;
  uint32_t to = arena_of("destination", t->dst, dst_span);
  uint32_t from = arena_of("source", t->src, src_span);
  engine.moved[from][to] += (uint64_t)t->rows * t->row_bytes;
}

uint64_t dpl_dma_bytes(uint32_t from, uint32_t to) {
  return from < DPL_ARENAS_MAX && to < DPL_ARENAS_MAX ? engine.moved[from][to] : 0;
}

static enum mode read_mode(void) {
  const char *text = getenv("DEEPLOY_DMA");
  if (!text || !*text || !strcmp(text, "thread"))
    return MODE_THREAD;
  if (!strcmp(text, "deferred"))
    return MODE_DEFERRED;
  if (!strcmp(text, "immediate"))
    return MODE_IMMEDIATE;
  fprintf(stderr, "deeploy: DEEPLOY_DMA is '%s', not thread, deferred or immediate\n", text);
  abort();
}

enum mode host_mode(void) {
  if (engine.mode == MODE_UNKNOWN)
    engine.mode = read_mode();
  return engine.mode;
}

// -------------------------------------------------------------------------------- DMA interface

void dpl_dma_start_2d(uint32_t channel, void *dst, const void *src, uint32_t row_bytes,
                      uint32_t rows, uint32_t dst_stride, uint32_t src_stride) {
  transfer t = {dst, src, row_bytes, rows, dst_stride, src_stride};
  work_queue *queue = channel_of(channel);
  if (row_bytes > 0 && rows > 0)
    account(&t);
  if (host_mode() != MODE_IMMEDIATE)
    poison(&t);
  queue_add(queue, &t);
}

void dpl_dma_start(uint32_t channel, void *dst, const void *src, uint32_t bytes) {
  dpl_dma_start_2d(channel, dst, src, bytes, 1, bytes, bytes);
}

uint32_t dpl_dma_mark(uint32_t channel) { return channel_of(channel)->started; }

void dpl_dma_wait_until(uint32_t channel, uint32_t mark) { queue_wait(channel_of(channel), mark); }

void dpl_dma_wait(uint32_t channel) { dpl_dma_wait_until(channel, dpl_dma_mark(channel)); }

static int dma_finish(void) {
  int bad = 0;
  for (uint32_t channel = 0; channel < DPL_DMA_CHANNELS; channel++) {
    if (queue_finish(&engine.channels[channel])) {
      fprintf(stderr, "deeploy: DMA transfers without a wait on channel %u\n", (unsigned)channel);
      bad = 1;
    }
  }
  return bad;
}

// ---------------------------------------------------------------------------------------- cores

static struct {
  pthread_mutex_t lock;
  pthread_cond_t released;
  uint32_t cores, arrived, generation;
  void (*entry)(uint32_t core);
} cluster = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 1, 0, 0, NULL};

// Sleeps instead of spinning: there may be more cores than processors.
void dpl_barrier(void) {
  if (cluster.cores == 1)
    return;
  pthread_mutex_lock(&cluster.lock);
  uint32_t generation = cluster.generation;
  if (++cluster.arrived == cluster.cores) {
    cluster.arrived = 0;
    cluster.generation++;
    pthread_cond_broadcast(&cluster.released);
  } else {
    while (cluster.generation == generation)
      pthread_cond_wait(&cluster.released, &cluster.lock);
  }
  pthread_mutex_unlock(&cluster.lock);
}

static void *core_main(void *argument) {
  cluster.entry((uint32_t)(uintptr_t)argument);
  return NULL;
}

int dpl_cluster_run(void (*entry)(uint32_t core), uint32_t cores) {
  pthread_t threads[MAX_CORES];
  if (cores < 1 || cores > MAX_CORES) {
    fprintf(stderr, "deeploy: cannot run %u cores, the limit is %d\n", (unsigned)cores, MAX_CORES);
    return 1;
  }
  cluster.cores = cores;
  cluster.entry = entry;
  for (uint32_t core = 1; core < cores; core++) {
    if (pthread_create(&threads[core], NULL, core_main, (void *)(uintptr_t)core) != 0) {
      // The cores already running wait for this one in a barrier: there is no way back.
      fprintf(stderr, "deeploy: cannot start core %u\n", (unsigned)core);
      abort();
    }
  }
  entry(0);
  for (uint32_t core = 1; core < cores; core++)
    pthread_join(threads[core], NULL);
  cluster.cores = 1;
  return dma_finish() | npu_finish();
}

// --------------------------------------------------------------------------------------- arenas

static uint8_t *low_guard(const dpl_arena *arena) { return arena->base - DPL_ARENA_GUARD; }

static uint8_t *high_guard(const dpl_arena *arena) { return arena->base + arena->size; }

void dpl_arenas_prepare(const dpl_arena *arenas, uint32_t count) {
  dma_arenas(arenas, count);
  npu_arenas(arenas, count);
  for (uint32_t i = 0; i < count; i++) {
    GUARD_OPEN(low_guard(&arenas[i]));
    GUARD_OPEN(high_guard(&arenas[i]));
    fill(low_guard(&arenas[i]), GUARD_PATTERN, DPL_ARENA_GUARD);
    fill(arenas[i].base, POISON, arenas[i].size);
    fill(high_guard(&arenas[i]), GUARD_PATTERN, DPL_ARENA_GUARD);
    GUARD_CLOSE(low_guard(&arenas[i]));
    GUARD_CLOSE(high_guard(&arenas[i]));
  }
}

// The offset in the message is relative to the start of the arena's data.
static int check_guard(const dpl_arena *arena, uint8_t *guard) {
  GUARD_OPEN(guard);
  // All bytes are equal if the first is right and each equals its neighbour: memcmp is quick.
  int bad = guard[0] != GUARD_PATTERN || memcmp(guard, guard + 1, DPL_ARENA_GUARD - 1) != 0;
  if (bad) {
    long offset = 0;
    while (guard[offset] == GUARD_PATTERN)
      offset++;
    fprintf(stderr, "deeploy: guard zone of %s violated at offset %ld\n", arena->name,
            (long)(guard - arena->base) + offset);
  }
  GUARD_CLOSE(guard);
  return bad;
}

int dpl_arenas_check(const dpl_arena *arenas, uint32_t count) {
  int bad = 0;
  for (uint32_t i = 0; i < count; i++) {
    bad |= check_guard(&arenas[i], low_guard(&arenas[i]));
    bad |= check_guard(&arenas[i], high_guard(&arenas[i]));
  }
  return bad;
}
