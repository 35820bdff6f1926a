/* lease.c - address leases of all pools in one ordered tree. */
#include "main/lease.h"

#include <search.h>
#include <stdbool.h>
#include <string.h>

#include "base/secret.h"

/* Candidates that follow from the seed, before the pool is searched from one of them on. */
enum { CANDIDATES = 16, PREDICTED = 6 };

/* A range of addresses of one family, both ends included. */
struct range {
	uint8_t family;
	uint8_t first[16], last[16];
};

struct lease_table {
	void *tree; /* struct lease by range; ranges in it never overlap */
	size_t n;
};

struct lease {
	struct range range; /* first: the tree compares nothing else */
	struct lease_table *table;
	struct addr addr;
	uint8_t prefix;
};

/* Overlapping ranges are "equal".  That is an order because the tree's own ranges are disjoint,
 * and it makes one lookup answer whether anything of a block is taken, whatever its size. */
static int range_cmp(const void *pa, const void *pb)
{
	const struct range *a = pa, *b = pb;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (memcmp(a->last, b->first, sizeof a->last) < 0)
		return -1;
	return memcmp(a->first, b->last, sizeof a->first) > 0 ? 1 : 0;
}

static struct range range_of(const struct addr *a, unsigned prefix)
{
	struct addr first = addr_network(a, prefix), last = addr_broadcast(a, prefix);
	struct range r = { .family = a->family };

	memcpy(r.first, first.bytes, addr_len(a));
	memcpy(r.last, last.bytes, addr_len(a));
	return r;
}

static const struct lease *overlap(const struct lease_table *t, const struct range *r)
{
	struct lease *const *found = tfind(r, &t->tree, range_cmp);

	return found ? *found : NULL;
}

static int lease_destroy(struct lease *l)
{
	tdelete(l, &l->table->tree, range_cmp);
	l->table->n--;
	return 0;
}

static int compare_equal(const void *a, const void *b)
{
	(void)a;
	(void)b;
	return 0;
}

/* The tree's nodes are libc's, so they are given back to it.  A lease that is left must not come
 * back here when its owner goes later. */
static int table_destroy(struct lease_table *t)
{
	while (t->tree) {
		struct lease *l = *(struct lease **)t->tree;
		tdelete(l, &t->tree, compare_equal);
		talloc_set_destructor(l, NULL);
	}
	return 0;
}

enum err lease_table_new(TALLOC_CTX *ctx, struct lease_table **out)
{
	struct lease_table *t = talloc_zero(ctx, struct lease_table);

	if (!t)
		return ERR_NOMEM;
	talloc_set_destructor(t, table_destroy);
	*out = t;
	return ERR_OK;
}

enum err lease_pool_check(const struct lease_pool *pool)
{
	unsigned bits = addr_bits(&pool->net.addr);

	if (bits == 0 || pool->unit > bits || pool->net.prefix >= pool->unit)
		return ERR_RANGE;
	return bits == 32 && pool->unit != 32 ? ERR_RANGE : ERR_OK;
}

struct addr lease_pool_server(const struct lease_pool *pool)
{
	struct addr a = addr_network(&pool->net.addr, pool->net.prefix);

	a.bytes[addr_len(&a) - 1] |= 1;
	return a;
}

/* Network, broadcast (IPv4) and server address; for IPv6 the all-zero host is the subnet routers'
 * anycast address (RFC 4291 2.6.1) and there is no broadcast. */
static bool is_reserved(const struct lease_pool *pool, const struct addr *a)
{
	struct addr block = addr_network(a, pool->unit);
	struct addr server = lease_pool_server(pool);
	struct addr net = addr_network(&pool->net.addr, pool->net.prefix);
	struct addr last = addr_broadcast(&net, pool->net.prefix);
	struct addr server_block = addr_network(&server, pool->unit);

	return addr_equal(&block, &server_block) || addr_equal(&block, &net) ||
	       (a->family == AF_INET && addr_equal(a, &last));
}

/* SEED's bits in place of the pool's host bits, cut to the unit. */
static struct addr candidate(const struct lease_pool *pool, const uint8_t seed[16])
{
	struct addr a = addr_network(&pool->net.addr, pool->net.prefix);

	for (unsigned bit = pool->net.prefix; bit < pool->unit; bit++)
		a.bytes[bit / 8] |= (uint8_t)(seed[bit / 8] & (0x80 >> bit % 8));
	return a;
}

/* Spreads a name over 16 bytes (FNV-1a with a final mix); nobody's secret depends on it, a user
 * can at most choose a name that wishes for somebody's address and then gets the next one. */
static void seed_from_text(const char *text, unsigned round, uint8_t seed[16])
{
	for (unsigned half = 0; half < 2; half++) {
		uint64_t h = 0xcbf29ce484222325u + round * 0x9e3779b97f4a7c15u + half;
		for (const char *p = text; *p; p++)
			h = (h ^ (uint8_t)*p) * 0x100000001b3u;
		h ^= h >> 33;
		h *= 0xff51afd7ed558ccdu;
		h ^= h >> 29;
		memcpy(seed + 8 * half, &h, sizeof h);
	}
}

static bool is_free(const struct lease_table *t, const struct lease_pool *pool,
		    const struct addr *a)
{
	struct range r = range_of(a, pool->unit);

	return !is_reserved(pool, a) && !overlap(t, &r);
}

/* The first block of POOL after the range's end; false when the pool ends before. */
static bool next_block(const struct lease_pool *pool, const struct range *r, struct addr *a)
{
	struct addr next = { .family = r->family };

	memcpy(next.bytes, r->last, sizeof next.bytes);
	next = addr_broadcast(&next, pool->unit);
	next = addr_add(&next, 1);
	*a = next;
	/* addr_in_net is also false when the address wrapped round. */
	return addr_in_net(&next, &pool->net) && memcmp(next.bytes, r->last, addr_len(a)) > 0;
}

/* Walks from *A to the pool's end, one step per lease or reserved address. */
static bool search_up(const struct lease_table *t, const struct lease_pool *pool, struct addr *a)
{
	for (;;) {
		struct range r = range_of(a, pool->unit);
		const struct lease *l = overlap(t, &r);

		if (!l && !is_reserved(pool, a))
			return true;
		if (!next_block(pool, l ? &l->range : &r, a))
			return false;
	}
}

/* config.md 12.2 tries 16 candidates and gives up; we then search, so that a small pool serves as
 * many clients as it has addresses. */
static bool find_free(const struct lease_table *t, const struct lease_pool *pool, const char *user,
		      struct addr *a)
{
	uint8_t seed[16];

	for (unsigned i = 0; i < CANDIDATES; i++) {
		if (user && i < PREDICTED)
			seed_from_text(user, i, seed);
		else
			secret_random(seed, sizeof seed);
		*a = candidate(pool, seed);
		if (is_free(t, pool, a))
			return true;
	}
	if (search_up(t, pool, a))
		return true;
	*a = addr_network(&pool->net.addr, pool->net.prefix);
	return search_up(t, pool, a);
}

static enum err insert(struct lease_table *t, const struct addr *a, uint8_t unit, TALLOC_CTX *owner,
		       struct lease **out)
{
	struct lease *l = talloc_zero(owner, struct lease), **node;

	if (!l)
		return ERR_NOMEM;
	l->range = range_of(a, unit);
	l->table = t;
	l->addr = *a;
	l->prefix = unit;
	node = tsearch(l, &t->tree, range_cmp);
	if (!node || *node != l) {
		talloc_free(l);
		return node ? ERR_BUSY : ERR_NOMEM;
	}
	t->n++;
	talloc_set_destructor(l, lease_destroy);
	*out = l;
	return ERR_OK;
}

enum err lease_take(struct lease_table *t, const struct lease_pool *pool, TALLOC_CTX *owner,
		    const char *user, struct lease **out)
{
	enum err err = lease_pool_check(pool);
	struct addr a;

	if (err)
		return err;
	if (!find_free(t, pool, user, &a))
		return ERR_EXHAUSTED;
	if (pool->unit < addr_bits(&a))
		a.bytes[addr_len(&a) - 1] |= 1;
	return insert(t, &a, pool->unit, owner, out);
}

enum err lease_take_exact(struct lease_table *t, const struct lease_pool *pool,
			  const struct addr *addr, TALLOC_CTX *owner, struct lease **out)
{
	enum err err = lease_pool_check(pool);

	if (err)
		return err;
	if (addr->family != pool->net.addr.family || is_reserved(pool, addr))
		return ERR_RANGE;
	return insert(t, addr, pool->unit, owner, out);
}

const struct addr *lease_addr(const struct lease *lease)
{
	return &lease->addr;
}

uint8_t lease_prefix(const struct lease *lease)
{
	return lease->prefix;
}

size_t lease_count(const struct lease_table *t)
{
	return t->n;
}
