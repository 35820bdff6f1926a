/* index.c - an intrusive hash index with chains. */
#include "main/index.h"

#include <string.h>

#include "base/secret.h"

enum { INDEX_START = 64 };

struct index {
	struct index_node **bucket;
	unsigned n_buckets; /* a power of two */
	size_t n;
	uint64_t seed;
};

enum err index_new(TALLOC_CTX *ctx, struct index **out)
{
	struct index *ix = talloc_zero(ctx, struct index);

	if (!ix)
		return ERR_NOMEM;
	ix->bucket = talloc_zero_array(ix, struct index_node *, INDEX_START);
	if (!ix->bucket) {
		talloc_free(ix);
		return ERR_NOMEM;
	}
	ix->n_buckets = INDEX_START;
	secret_random(&ix->seed, sizeof ix->seed);
	*out = ix;
	return ERR_OK;
}

/* Multiply and fold, a word at a time; the seed is secret, so collisions cannot be aimed. */
static uint64_t hash_of(const struct index *ix, const void *key, size_t len)
{
	const uint8_t *p = key;
	uint64_t h = ix->seed ^ (len * 0x9e3779b97f4a7c15u);

	while (len) {
		uint64_t word = 0;
		size_t step = len < sizeof word ? len : sizeof word;

		memcpy(&word, p, step);
		h = (h ^ word) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
		p += step;
		len -= step;
	}
	return h ^ (h >> 29);
}

static void link_node(struct index *ix, struct index_node *node)
{
	struct index_node **head = &ix->bucket[node->hash & (ix->n_buckets - 1)];

	node->next = *head;
	node->prev = head;
	if (node->next)
		node->next->prev = &node->next;
	*head = node;
}

/* Twice the buckets; without memory the chains just grow longer. */
static void grow(struct index *ix)
{
	struct index_node **old = ix->bucket;
	unsigned n = ix->n_buckets;
	struct index_node **bigger = talloc_zero_array(ix, struct index_node *, n * 2);

	if (!bigger)
		return;
	ix->bucket = bigger;
	ix->n_buckets = n * 2;
	for (unsigned i = 0; i < n; i++)
		for (struct index_node *node = old[i], *next; node; node = next) {
			next = node->next;
			link_node(ix, node);
		}
	talloc_free(old);
}

void index_add(struct index *ix, struct index_node *node, const void *key, size_t len, void *item)
{
	index_remove(node);
	if (ix->n >= ix->n_buckets)
		grow(ix);
	node->in = ix;
	node->hash = hash_of(ix, key, len);
	node->item = item;
	link_node(ix, node);
	ix->n++;
}

void index_remove(struct index_node *node)
{
	if (!node->in)
		return;
	*node->prev = node->next;
	if (node->next)
		node->next->prev = node->prev;
	node->in->n--;
	*node = (struct index_node){ 0 };
}

static struct index_node *same_hash(struct index_node *node, uint64_t hash)
{
	while (node && node->hash != hash)
		node = node->next;
	return node;
}

struct index_node *index_first(const struct index *ix, const void *key, size_t len)
{
	uint64_t hash = hash_of(ix, key, len);

	return same_hash(ix->bucket[hash & (ix->n_buckets - 1)], hash);
}

struct index_node *index_next(const struct index_node *node)
{
	return same_hash(node->next, node->hash);
}
