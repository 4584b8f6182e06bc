// SPDX-License-Identifier: Apache-2.0
//
// Host platform: queues of work. All share one lock, which is free while anybody works.
#define _POSIX_C_SOURCE 200809L
#include "queue.h"
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void *item_at(const work_queue *queue, uint32_t index) {
  return (uint8_t *)queue->items + (index % queue->capacity) * queue->size;
}

// Called with the lock held.
static void work_on_head(work_queue *queue) {
  pthread_mutex_unlock(&lock);
  queue->work(item_at(queue, queue->head));
  pthread_mutex_lock(&lock);
  queue->head = (queue->head + 1) % queue->capacity;
  queue->length--;
  pthread_cond_broadcast(&changed);
}

static void *queue_main(void *argument) {
  work_queue *queue = argument;
  pthread_mutex_lock(&lock);
  while (queue->length > 0 || !queue->stop) {
    if (queue->length > 0)
      work_on_head(queue);
    else
      pthread_cond_wait(&changed, &lock);
  }
  pthread_mutex_unlock(&lock);
  return NULL;
}

static void start_thread(work_queue *queue) {
  queue->stop = 0;
  if (pthread_create(&queue->thread, NULL, queue_main, queue) != 0) {
    fprintf(stderr, "deeploy: cannot start a thread for transfers or jobs\n");
    abort();
  }
  queue->running = 1;
}

// Called with the lock held.
static void drain(work_queue *queue, uint32_t length) {
  while (queue->length > length) {
    if (queue->running)
      pthread_cond_wait(&changed, &lock);
    else
      work_on_head(queue);
  }
}

void queue_add(work_queue *queue, const void *item) {
  queue->started++;
  queue->unwaited++;
  if (host_mode() == MODE_IMMEDIATE) {
    queue->work(item);
    return;
  }
  if (host_mode() == MODE_THREAD && !queue->running)
    start_thread(queue);
  pthread_mutex_lock(&lock);
  drain(queue, queue->capacity - 1);
  memcpy(item_at(queue, queue->head + queue->length++), item, queue->size);
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

void queue_drain(work_queue *queue, uint32_t length) {
  pthread_mutex_lock(&lock);
  drain(queue, length);
  pthread_mutex_unlock(&lock);
}

void queue_wait(work_queue *queue, uint32_t mark) {
  uint32_t later = queue->started - mark;
  if (queue->unwaited > later)
    queue->unwaited = later;
  queue_drain(queue, later);
}

int queue_finish(work_queue *queue) {
  int bad = queue->unwaited > 0;
  queue_wait(queue, queue->started);
  if (queue->running) {
    pthread_mutex_lock(&lock);
    queue->stop = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    pthread_join(queue->thread, NULL);
    queue->running = 0;
  }
  return bad;
}
