// SPDX-License-Identifier: Apache-2.0
//
// Work that is done in order, beside the cores: transfers of a channel, jobs of the accelerator.
#ifndef DEEPLOY_QUEUE_H
#define DEEPLOY_QUEUE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  void (*work)(const void *item);
  void *items; // `capacity` of `size` bytes
  size_t size;
  uint32_t capacity;
  // Used by core 0 only: items ever added, and those that nobody waited for.
  uint32_t started, unwaited;
  // Under the lock. An item stays until the work is done.
  uint32_t head, length;
  int running, stop; // there is a thread; it is to end
  pthread_t thread;
} work_queue;

// Adds an item, and waits for room. It is worked on when host_mode() says: by a thread, in a wait,
// or now.
void queue_add(work_queue *queue, const void *item);

// Waits until no more than `length` items are left.
void queue_drain(work_queue *queue, uint32_t length);

// Waits for what was added before so many had been started.
void queue_wait(work_queue *queue, uint32_t mark);

// Does what is left and ends the thread. Returns nonzero if anything was never waited for.
int queue_finish(work_queue *queue);

#endif
