/* ban.c - the score table. */
#include "main/ban.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"

enum {
	ENTRIES_MAX = 65536, /* a flood of addresses must not eat our memory */
	JOURNAL_KIND = 1,    /* first byte of our journal keys; no session id begins with it */
};

struct score {
	struct addr key; /* first: the tree compares nothing else */
	uint32_t score;
	int64_t expires;    /* 0: not banned */
	int64_t last_reset; /* when the score began at 0 */
	struct score *next, **prev;
};

/* What survives a restart of main. */
struct record {
	int64_t expires, last_reset;
	uint32_t score, unused;
};

struct nets {
	struct addr_net *item; /* child of the table */
	size_t n;
};

struct ban_table {
	struct ban_limits limits;
	struct nets local, exempt;
	struct journal *journal;
	void *tree;
	struct score *first;
	size_t n;
	int64_t full_at; /* when we last made room in a full table */
};

static int entry_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct addr));
}

static int table_destroy(struct ban_table *b)
{
	for (struct score *e = b->first; e; e = e->next)
		tdelete(e, &b->tree, entry_cmp);
	return 0;
}

enum err ban_table_new(TALLOC_CTX *ctx, struct ban_table **out)
{
	struct ban_table *b = talloc_zero(ctx, struct ban_table);

	if (!b)
		return ERR_NOMEM;
	talloc_set_destructor(b, table_destroy);
	*out = b;
	return ERR_OK;
}

void ban_set_limits(struct ban_table *b, const struct ban_limits *limits)
{
	b->limits = *limits;
}

static enum err nets_set(struct ban_table *b, struct nets *nets, const struct addr_net *net,
			 size_t n)
{
	struct addr_net *copy = n ? talloc_memdup(b, net, n * sizeof *net) : NULL;

	if (n && !copy)
		return ERR_NOMEM;
	talloc_free(nets->item);
	*nets = (struct nets){ copy, n };
	return ERR_OK;
}

static bool nets_have(const struct nets *nets, const struct addr *a)
{
	for (size_t i = 0; i < nets->n; i++)
		if (addr_in_net(a, &nets->item[i]))
			return true;
	return false;
}

enum err ban_set_local(struct ban_table *b, const struct addr_net *net, size_t n)
{
	return nets_set(b, &b->local, net, n);
}

void ban_set_journal(struct ban_table *b, struct journal *journal)
{
	b->journal = journal;
}

/* config.md 15: IPv4 address or IPv6 /64, because a client has a whole /64 to choose from. */
static struct addr key_of(const struct addr *a)
{
	struct addr key = { 0 }, net = a->family == AF_INET6 ? addr_network(a, 64) : *a;

	key.family = net.family;
	memcpy(key.bytes, net.bytes, addr_len(&net));
	return key;
}

static struct score *find(const struct ban_table *b, const struct addr *a)
{
	struct addr key = key_of(a);
	struct score *const *node = tfind(&key, &b->tree, entry_cmp);

	return node ? *node : NULL;
}

static void journal_key(const struct score *e, uint8_t key[JOURNAL_KEY])
{
	memset(key, 0, JOURNAL_KEY);
	key[0] = JOURNAL_KIND;
	key[1] = e->key.family;
	memcpy(key + 2, e->key.bytes, sizeof e->key.bytes);
}

/* A record that cannot be written is lost with main only, so that is no error of the caller's. */
static void save(const struct ban_table *b, const struct score *e)
{
	struct record r = { e->expires, e->last_reset, e->score, 0 };
	uint8_t key[JOURNAL_KEY];

	if (!b->journal)
		return;
	journal_key(e, key);
	if (journal_put(b->journal, key, &r, sizeof r))
		log_debug(NULL, "ban-not-saved", kv_addr("ip", &e->key));
}

static void drop(struct ban_table *b, struct score *e)
{
	uint8_t key[JOURNAL_KEY];

	if (b->journal) {
		journal_key(e, key);
		journal_del(b->journal, key);
	}
	tdelete(e, &b->tree, entry_cmp);
	*e->prev = e->next;
	if (e->next)
		e->next->prev = e->prev;
	b->n--;
	talloc_free(e);
}

static struct score *insert(struct ban_table *b, const struct addr *a, int64_t now)
{
	struct score *e = talloc_zero(b, struct score);

	if (!e)
		return NULL;
	e->key = key_of(a);
	e->last_reset = now;
	if (!tsearch(e, &b->tree, entry_cmp)) {
		talloc_free(e);
		return NULL;
	}
	e->next = b->first;
	e->prev = &b->first;
	if (e->next)
		e->next->prev = &e->next;
	b->first = e;
	b->n++;
	return e;
}

enum err ban_set_exempt(struct ban_table *b, const struct addr_net *net, size_t n)
{
	enum err err = nets_set(b, &b->exempt, net, n);
	struct score *next;

	for (struct score *e = b->first; !err && e; e = next) {
		next = e->next;
		if (nets_have(&b->exempt, &e->key))
			drop(b, e);
	}
	return err;
}

/* The score restarts after a ban, and for others after the reset time. */
static bool is_over(const struct ban_table *b, const struct score *e, int64_t now)
{
	return e->expires ? now >= e->expires : now - e->last_reset >= b->limits.reset_time;
}

static void refresh(const struct ban_table *b, struct score *e, int64_t now)
{
	if (!is_over(b, e, now))
		return;
	e->score = 0;
	e->expires = 0;
	e->last_reset = now;
}

/* At most once a second, so that a flood that filled the table with bans costs no more than it
 * does now. */
static void make_room(struct ban_table *b, int64_t now)
{
	struct score *next;

	if (b->full_at == now)
		return;
	b->full_at = now;
	ban_sweep(b, now);
	if (b->n < ENTRIES_MAX)
		return;
	for (struct score *e = b->first; e; e = next) {
		next = e->next;
		if (!e->expires)
			drop(b, e);
	}
	log_warn(NULL, "ban-table-full", kv_u64("left", b->n));
}

static void log_crossing(const struct score *e)
{
	char ip[ADDR_TEXT], date[32] = "", text[160];
	time_t when = (time_t)e->expires;
	struct tm tm;

	if (localtime_r(&when, &tm))
		strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y", &tm);
	snprintf(text, sizeof text,
		 "added IP '%s' (with score %u) to ban list, will be reset at: %s",
		 addr_print(&e->key, ip), e->score, date);
	log_info(NULL, "ban", kv_text(text));
}

static void log_points(const struct score *e, uint32_t points)
{
	char ip[ADDR_TEXT], text[128];

	snprintf(text, sizeof text, "added %u points (total %u) for IP '%s' to ban list", points,
		 e->score, addr_print(&e->key, ip));
	log_debug(NULL, "ban-points", kv_text(text));
}

void ban_charge(struct ban_table *b, const struct addr *addr, enum ban_kind kind, uint32_t points,
		int64_t now)
{
	struct score *e;

	if (b->limits.max_score == 0 || points == 0 || addr->family == 0 ||
	    nets_have(&b->exempt, addr) || (kind == BAN_CONNECTION && nets_have(&b->local, addr)))
		return;
	e = find(b, addr);
	if (!e && b->n >= ENTRIES_MAX)
		make_room(b, now);
	if (!e && b->n < ENTRIES_MAX)
		e = insert(b, addr, now);
	if (!e)
		return;
	refresh(b, e, now);
	if (__builtin_add_overflow(e->score, points, &e->score))
		e->score = UINT32_MAX;
	if (e->score >= b->limits.max_score && !e->expires) {
		e->expires = now + b->limits.ban_time;
		log_crossing(e);
	} else if (log_enabled(LOG_LVL_DEBUG)) {
		log_points(e, points);
	}
	save(b, e);
}

void ban_refund(struct ban_table *b, const struct addr *addr, uint32_t points)
{
	struct score *e = nets_have(&b->local, addr) ? NULL : find(b, addr);

	if (!e || !points)
		return;
	e->score -= e->score < points ? e->score : points;
	if (e->score || e->expires)
		save(b, e);
	else
		drop(b, e);
}

/* In the table and spared by no exemption; our own subnets are looked at later. */
static bool is_banned(const struct ban_table *b, const struct addr *addr, int64_t now)
{
	const struct score *e = b->limits.max_score ? find(b, addr) : NULL;

	return e && now < e->expires && !nets_have(&b->exempt, addr);
}

bool ban_holds(const struct ban_table *b, const struct addr *addr, int64_t now)
{
	return is_banned(b, addr, now) && !nets_have(&b->local, addr);
}

bool ban_is_refused(struct ban_table *b, const struct addr *addr, int64_t now)
{
	char ip[ADDR_TEXT], text[96];

	if (!is_banned(b, addr, now))
		return false;
	addr_print(addr, ip);
	if (nets_have(&b->local, addr)) {
		snprintf(text, sizeof text, "Not applying ban to local IP: %s", ip);
		log_debug(NULL, "ban-local", kv_text(text));
		return false;
	}
	snprintf(text, sizeof text, "rejected connection from banned IP: %s", ip);
	log_info(NULL, "ban-refused", kv_text(text));
	return true;
}

enum err ban_lift(struct ban_table *b, const struct addr *addr)
{
	struct score *e = find(b, addr);
	char ip[ADDR_TEXT], text[80];

	if (!e)
		return ERR_NOT_FOUND;
	e->score = 0;
	e->expires = 0;
	save(b, e);
	snprintf(text, sizeof text, "unbanning IP '%s'", addr_print(addr, ip));
	log_info(NULL, "unban", kv_text(text));
	return ERR_OK;
}

void ban_sweep(struct ban_table *b, int64_t now)
{
	struct score *next;

	for (struct score *e = b->first; e; e = next) {
		next = e->next;
		refresh(b, e, now);
		if (e->last_reset == now && e->score == 0)
			drop(b, e);
	}
}

static struct ban_entry view(const struct ban_table *b, const struct score *e, int64_t now)
{
	bool banned = e->expires > now;

	return (struct ban_entry){
		.addr = e->key,
		.score = is_over(b, e, now) ? 0 : e->score,
		.expires = banned ? e->expires : 0,
		.banned = banned,
	};
}

size_t ban_count(const struct ban_table *b, int64_t now)
{
	size_t n = 0;

	for (const struct score *e = b->first; e; e = e->next)
		n += e->expires > now;
	return n;
}

void ban_each(const struct ban_table *b, int64_t now,
	      void (*fn)(void *arg, const struct ban_entry *entry), void *arg)
{
	for (const struct score *e = b->first; e; e = e->next) {
		struct ban_entry v = view(b, e, now);
		fn(arg, &v);
	}
}

bool ban_restore(struct ban_table *b, const uint8_t key[JOURNAL_KEY], const void *value, size_t len)
{
	struct addr a = { .family = key[1] };
	struct score *e;
	struct record r;

	if (key[0] != JOURNAL_KIND)
		return false;
	if (len != sizeof r || addr_len(&a) == 0)
		return true;
	memcpy(&r, value, sizeof r);
	memcpy(a.bytes, key + 2, sizeof a.bytes);
	e = find(b, &a);
	if (!e)
		e = insert(b, &a, r.last_reset);
	if (!e)
		return true;
	e->score = r.score;
	e->expires = r.expires;
	e->last_reset = r.last_reset;
	return true;
}

/* The network of interface address IFA; family 0 when it has none that matters here. */
static struct addr_net net_of(const struct ifaddrs *ifa)
{
	struct addr_net none = { 0 }, net = { 0 };
	struct endpoint ip, mask;

	if (!ifa->ifa_addr || !ifa->ifa_netmask || !(ifa->ifa_flags & IFF_UP) ||
	    endpoint_from_sockaddr(ifa->ifa_addr, &ip))
		return none;
	/* Some kernels' netmask sockaddr names no family. */
	ifa->ifa_netmask->sa_family = ifa->ifa_addr->sa_family;
	if (endpoint_from_sockaddr(ifa->ifa_netmask, &mask) || mask.addr.family != ip.addr.family)
		return none;
	net.addr = ip.addr;
	for (size_t i = 0; i < addr_len(&mask.addr); i++)
		net.prefix = (uint8_t)(net.prefix + __builtin_popcount(mask.addr.bytes[i]));
	return net;
}

enum err ban_read_interfaces(TALLOC_CTX *ctx, struct addr_net **out, size_t *n)
{
	struct ifaddrs *list;
	struct addr_net *net;
	size_t max = 1, used = 0;

	if (getifaddrs(&list) < 0)
		return ERR_SYS;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next)
		max++;
	net = talloc_array(ctx, struct addr_net, (unsigned)max);
	for (const struct ifaddrs *i = list; net && i; i = i->ifa_next) {
		net[used] = net_of(i);
		used += net[used].addr.family != 0;
	}
	freeifaddrs(list);
	if (!net)
		return ERR_NOMEM;
	*out = net;
	*n = used;
	return ERR_OK;
}
