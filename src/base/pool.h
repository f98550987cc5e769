/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A parallel loop.  Work is cut into numbered chunks; which thread takes
 * which chunk is not determined, so results are kept per chunk and put
 * together in chunk order: the same answer with any number of threads.
 */
#ifndef KML_BASE_POOL_H
#define KML_BASE_POOL_H

#include "base/error.h"

/*
 * Process one chunk.  @thread is below the number of threads, so that a
 * caller can keep a context per thread.  Not called again after an error.
 */
typedef struct kml_error *pool_fn(void *arg, unsigned thread, uint64_t chunk);

/* The number of threads to use for a request of @wanted (0: all CPUs). */
unsigned pool_threads(unsigned wanted);

/*
 * Call @fn for each chunk below @n_chunks on @n_threads threads (the calling
 * one among them).  Returns the error of the lowest-numbered failed chunk.
 */
struct kml_error *pool_run(unsigned n_threads, uint64_t n_chunks, pool_fn *fn,
			   void *arg) error_must_check;

#endif
