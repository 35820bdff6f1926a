/* index.h - an intrusive hash index: finds items by the bytes of a key, several per key if need be.
 * Used by main for sessions, workers and addresses. */
#ifndef MAIN_INDEX_H
#define MAIN_INDEX_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"

struct index; /* opaque */

/* Lives inside the item; zeroed memory means "in no index". */
struct index_node {
	struct index *in; /* NULL: in none */
	struct index_node *next, **prev;
	uint64_t hash;
	void *item;
};

/* Empty index, child of CTX, hashing with a random seed, so that nobody can choose collisions. */
MUST_USE enum err index_new(TALLOC_CTX *ctx, struct index **out);

/* Adds ITEM under KEY; a node that is already in an index leaves it first. */
void index_add(struct index *ix, struct index_node *node, const void *key, size_t len, void *item);
void index_remove(struct index_node *node);

/* Items whose keys hash like KEY, one after the other; the caller compares keys.  NULL: no more. */
struct index_node *index_first(const struct index *ix, const void *key, size_t len);
struct index_node *index_next(const struct index_node *node);

#endif /* MAIN_INDEX_H */
