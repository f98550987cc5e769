/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Graphs for the benchmarks.  A shape says where the edge @i of the node @v
 * goes, in a graph of @n nodes that starts at node 0.
 */
#ifndef KML_TESTS_BENCH_SHAPES_H
#define KML_TESTS_BENCH_SHAPES_H

#include <stdint.h>

static uint64_t seed = 88172645463325252u;

/* A number below @n: the same ones in every run. */
static uint32_t draw(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 32) * n >> 32);
}

/* Any node to any other one; each is reached from an earlier one. */
static uint32_t random_shape(uint32_t v, uint32_t i, uint32_t n)
{
	return i ? draw(n) : (v + 1) % n;
}

/* A tree of three children, with parents. */
static uint32_t tree_shape(uint32_t v, uint32_t i, uint32_t n)
{
	uint64_t child = 3ull * v + i;

	return i && child < n ? (uint32_t)child : v / 3;
}

#endif
