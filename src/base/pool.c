// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/util.h"

struct pool {
	pool_fn *fn;
	void *arg;
	uint64_t n_chunks;
	uint64_t next; /* the next chunk to take; atomic */
	pthread_mutex_t lock; /* the two below */
	struct kml_error *error;
	uint64_t error_chunk;
};

struct pool_worker {
	struct pool *pool;
	unsigned thread;
	pthread_t id;
};

unsigned pool_threads(unsigned wanted)
{
	cpu_set_t set;

	if (wanted)
		return MIN(wanted, 256u);
	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return (unsigned)MAX(CPU_COUNT(&set), 1);
}

static void pool_fail(struct pool *pool, struct kml_error *error, uint64_t chunk)
{
	/* No further chunk is taken; those under way are finished. */
	__atomic_store_n(&pool->next, pool->n_chunks, __ATOMIC_RELAXED);
	pthread_mutex_lock(&pool->lock);
	if (!pool->error || chunk < pool->error_chunk) {
		kml_error_destroy(pool->error);
		pool->error = error;
		pool->error_chunk = chunk;
	} else {
		kml_error_destroy(error);
	}
	pthread_mutex_unlock(&pool->lock);
}

static void *pool_worker_main(void *arg)
{
	struct pool_worker *worker = arg;
	struct pool *pool = worker->pool;

	for (;;) {
		uint64_t chunk = __atomic_fetch_add(&pool->next, 1,
						    __ATOMIC_RELAXED);
		struct kml_error *error;

		if (chunk >= pool->n_chunks)
			return NULL;
		error = pool->fn(pool->arg, worker->thread, chunk);
		if (error)
			pool_fail(pool, error, chunk);
	}
}

struct kml_error *pool_run(unsigned n_threads, uint64_t n_chunks, pool_fn *fn,
			   void *arg)
{
	struct pool pool = { .fn = fn, .arg = arg, .n_chunks = n_chunks };
	_cleanup_free_ struct pool_worker *workers = NULL;
	unsigned i, started = 1;

	n_threads = (unsigned)MIN((uint64_t)MAX(n_threads, 1u), MAX(n_chunks, 1));
	workers = calloc(n_threads, sizeof(*workers));
	if (!workers)
		return error_nomem();
	pthread_mutex_init(&pool.lock, NULL);
	for (i = 0; i < n_threads; i++)
		workers[i] = (struct pool_worker){ .pool = &pool, .thread = i };
	/* Fewer threads than wanted is no error: the loop is just slower. */
	while (started < n_threads &&
	       !pthread_create(&workers[started].id, NULL, pool_worker_main,
			       &workers[started]))
		started++;
	pool_worker_main(&workers[0]);
	for (i = 1; i < started; i++)
		pthread_join(workers[i].id, NULL);
	pthread_mutex_destroy(&pool.lock);
	return pool.error;
}
