/* journal.c - records in fixed slots of a memfd, published by one store.
 *
 * Slot 0 is the header, then slots of SLOT_SIZE bytes.  A record begins in a slot whose seq is not
 * 0, its head; of two heads with the same key the higher seq counts.  What does not fit the head
 * goes on in slots that it points to and that never have a seq of their own: a slot that no head
 * leads to is free, whatever it holds.  An update goes:
 *
 *	1. fill free slots, the last piece first
 *	2. store the seq of the head
 *	3. store 0 into the old head's seq
 *	4. wipe the old slots
 *
 * so that a kill between any two leaves exactly the old or the new record for the next process.
 * Lookups use a private table that is rebuilt when the journal is opened. */
#include "base/journal.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"

enum {
	SLOT_SIZE = 1024,
	SLOTS_FIRST = 15, /* with the header 16 KiB */
	SLOTS_MAX = 1 << 24,
};

static const char magic[16] = "sallyport-jrnl2";

struct slot {
	_Atomic uint64_t seq; /* 0: free, or the continuation of another */
	uint32_t len;	      /* bytes of value in use */
	uint32_t more;	      /* the slot with what follows; 0: that was all */
	uint8_t key[JOURNAL_KEY];
	uint8_t value[JOURNAL_SHORT];
};

_Static_assert(sizeof(struct slot) == SLOT_SIZE, "the slot layout is shared between processes");

struct journal {
	int fd;
	struct slot *map;    /* map[0] is the header, records follow */
	uint32_t slots;	     /* records there is room for */
	uint64_t seq;	     /* highest one given out */
	uint32_t *free_list; /* a stack of free slot numbers, room for all */
	uint32_t n_free;
	uint32_t *table;      /* open addressing: slot number, 0 empty */
	uint32_t mask;	      /* table size - 1; at least half of it stays empty */
	uint64_t hash_key[4]; /* keys come from outside (addresses): no chosen collisions */
};

static size_t map_size(uint32_t slots)
{
	return ((size_t)slots + 1) * SLOT_SIZE;
}

static uint32_t hash(const struct journal *j, const uint8_t key[JOURNAL_KEY])
{
	uint64_t w[4];
	unsigned __int128 a, b;

	memcpy(w, key, sizeof w);
	a = (unsigned __int128)(w[0] ^ j->hash_key[0]) * (w[1] ^ j->hash_key[1]);
	b = (unsigned __int128)(w[2] ^ j->hash_key[2]) * (w[3] ^ j->hash_key[3]);
	a ^= b << 1 | b >> 127;
	return (uint32_t)(a ^ a >> 32 ^ a >> 64 ^ a >> 96);
}

/* The table cell that holds KEY, or the empty one where it belongs. */
static uint32_t find(const struct journal *j, const uint8_t key[JOURNAL_KEY])
{
	uint32_t i = hash(j, key) & j->mask;

	while (j->table[i] && memcmp(j->map[j->table[i]].key, key, JOURNAL_KEY) != 0)
		i = (i + 1) & j->mask;
	return i;
}

/* Empties cell HOLE and moves later members of its run back, so that probing needs no tombstones.
 */
static void table_remove(struct journal *j, uint32_t hole)
{
	uint32_t i = hole;

	j->table[hole] = 0;
	for (;;) {
		i = (i + 1) & j->mask;
		if (!j->table[i])
			return;
		uint32_t home = hash(j, j->map[j->table[i]].key) & j->mask;
		/* the member may move when the hole lies on its way from home to here */
		if (((i - home) & j->mask) >= ((i - hole) & j->mask)) {
			j->table[hole] = j->table[i];
			j->table[i] = 0;
			hole = i;
		}
	}
}

static void wipe_slot(struct journal *j, uint32_t n)
{
	struct slot *s = &j->map[n];

	secret_wipe(s->key, SLOT_SIZE - offsetof(struct slot, key));
	s->len = 0;
	s->more = 0;
	j->free_list[j->n_free++] = n;
}

/* Steps 3 and 4: the record disappears with one store, its bytes after that. */
static void release(struct journal *j, uint32_t head)
{
	uint32_t next;

	atomic_store(&j->map[head].seq, 0);
	for (uint32_t n = head; n; n = next) {
		next = j->map[n].more;
		wipe_slot(j, n);
	}
}

/* Private memory for SLOTS records; entered records stay. */
static enum err resize_index(struct journal *j, uint32_t slots)
{
	uint32_t size = 128, *list, *table;

	while (size < 2 * slots)
		size *= 2;
	list = talloc_realloc(j, j->free_list, uint32_t, slots);
	if (!list)
		return ERR_NOMEM;
	j->free_list = list;
	if (j->table && size == j->mask + 1)
		return ERR_OK;
	table = talloc_zero_array(j, uint32_t, size);
	if (!table)
		return ERR_NOMEM;
	uint32_t *old = j->table, old_size = old ? j->mask + 1 : 0;
	j->table = table;
	j->mask = size - 1;
	for (uint32_t i = 0; i < old_size; i++)
		if (old[i])
			j->table[find(j, j->map[old[i]].key)] = old[i];
	talloc_free(old);
	return ERR_OK;
}

/* Half as many slots again; the kernel gives them zeroed, which is free. */
static enum err grow(struct journal *j)
{
	uint32_t slots = j->slots + j->slots / 2 + 1;
	void *map;
	enum err err;

	if (slots > SLOTS_MAX)
		return ERR_EXHAUSTED;
	err = resize_index(j, slots);
	if (err)
		return err;
	if (ftruncate(j->fd, (off_t)map_size(slots)) < 0)
		return ERR_SYS;
	map = mremap(j->map, map_size(j->slots), map_size(slots), MREMAP_MAYMOVE);
	if (map == MAP_FAILED)
		return ERR_SYS;
	j->map = map;
	for (uint32_t n = slots; n > j->slots; n--)
		j->free_list[j->n_free++] = n;
	j->slots = slots;
	return ERR_OK;
}

/* Enters head N found in the memfd; a record with the same key and a lower seq is left over from an
 * update cut short after step 2. */
static void adopt(struct journal *j, uint32_t n)
{
	struct slot *s = &j->map[n];
	uint32_t cell = find(j, s->key), other = j->table[cell];
	uint64_t seq = atomic_load(&s->seq);

	if (seq > j->seq)
		j->seq = seq;
	if (!other) {
		j->table[cell] = n;
	} else if (seq > atomic_load(&j->map[other].seq)) {
		j->table[cell] = n;
		release(j, other);
	} else {
		release(j, n);
	}
}

/* Marks the slots of head N in USED.  ERR_SYNTAX: not what this program writes. */
static enum err walk(const struct journal *j, uint32_t n, bool *used)
{
	size_t len = 0;

	for (; n; n = j->map[n].more) {
		const struct slot *s = &j->map[n];

		if (n > j->slots || used[n] || s->len > JOURNAL_SHORT || s->more > j->slots ||
		    (s->more && s->len != JOURNAL_SHORT))
			return ERR_SYNTAX;
		used[n] = true;
		len += s->len;
	}
	return len > JOURNAL_VALUE ? ERR_SYNTAX : ERR_OK;
}

static enum err find_used(struct journal *j, bool *used)
{
	for (uint32_t n = 1; n <= j->slots; n++) {
		enum err err = atomic_load(&j->map[n].seq) ? walk(j, n, used) : ERR_OK;

		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err rebuild(struct journal *j)
{
	bool *used = talloc_zero_array(j, bool, j->slots + 1);
	enum err err = used ? resize_index(j, j->slots) : ERR_NOMEM;

	if (!err)
		err = find_used(j, used);
	for (uint32_t n = j->slots; !err && n >= 1; n--) {
		if (atomic_load(&j->map[n].seq))
			adopt(j, n);
		else if (!used[n])
			wipe_slot(j, n); /* what step 1 or 4 left */
	}
	talloc_free(used);
	return err;
}

static enum err create(struct journal *j)
{
	j->fd = memfd_create("sallyport-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (j->fd < 0 || ftruncate(j->fd, (off_t)map_size(SLOTS_FIRST)) < 0)
		return ERR_SYS;
	/* nobody who also holds the descriptor can make our loads fault */
	if (fcntl(j->fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0 ||
	    pwrite(j->fd, magic, sizeof magic, 0) != sizeof magic)
		return ERR_SYS;
	return ERR_OK;
}

static enum err map_file(struct journal *j)
{
	struct stat st;

	if (fstat(j->fd, &st) < 0)
		return ERR_SYS;
	if (st.st_size < 2 * SLOT_SIZE || st.st_size % SLOT_SIZE ||
	    st.st_size / SLOT_SIZE - 1 > SLOTS_MAX)
		return ERR_SYNTAX;
	j->slots = (uint32_t)(st.st_size / SLOT_SIZE - 1);
	void *map = mmap(NULL, map_size(j->slots), PROT_READ | PROT_WRITE, MAP_SHARED, j->fd, 0);
	if (map == MAP_FAILED)
		return ERR_SYS;
	j->map = map;
	return memcmp(j->map, magic, sizeof magic) == 0 ? ERR_OK : ERR_SYNTAX;
}

static int close_journal(struct journal *j)
{
	if (j->map)
		munmap(j->map, map_size(j->slots));
	if (j->fd >= 0)
		close(j->fd);
	return 0;
}

enum err journal_open(TALLOC_CTX *ctx, int fd, struct journal **out)
{
	struct journal *j = talloc_zero(ctx, struct journal);
	enum err err;

	if (!j) {
		if (fd >= 0)
			close(fd);
		return ERR_NOMEM;
	}
	j->fd = fd;
	talloc_set_destructor(j, close_journal);
	secret_random(j->hash_key, sizeof j->hash_key);
	err = fd < 0 ? create(j) : ERR_OK;
	if (!err)
		err = map_file(j);
	if (!err)
		err = rebuild(j);
	if (err)
		talloc_free(j);
	else
		*out = j;
	return err;
}

int journal_fd(const struct journal *j)
{
	return j->fd;
}

static size_t slots_for(size_t len)
{
	return len > JOURNAL_SHORT ? (len + JOURNAL_SHORT - 1) / JOURNAL_SHORT : 1;
}

/* Fills a free slot with the piece of LEN bytes at VALUE; MORE follows it. */
static uint32_t fill(struct journal *j, const uint8_t *value, size_t len, uint32_t more)
{
	uint32_t n = j->free_list[--j->n_free];
	struct slot *s = &j->map[n];

	if (len)
		memcpy(s->value, value, len);
	s->len = (uint32_t)len;
	s->more = more;
	return n;
}

/* Step 1: gives the head. */
static uint32_t fill_all(struct journal *j, const uint8_t *value, size_t len)
{
	uint32_t n = 0;

	for (size_t i = slots_for(len); i > 0; i--) {
		size_t from = (i - 1) * JOURNAL_SHORT;

		n = fill(j, value ? value + from : NULL, len - from, n);
		len = from;
	}
	return n;
}

enum err journal_put(struct journal *j, const uint8_t key[JOURNAL_KEY], const void *value,
		     size_t len)
{
	uint32_t cell, old, n;

	if (len > JOURNAL_VALUE)
		return ERR_TOO_LONG;
	while (j->n_free < slots_for(len)) {
		enum err err = grow(j);

		if (err)
			return err;
	}
	n = fill_all(j, value, len);
	memcpy(j->map[n].key, key, JOURNAL_KEY);
	cell = find(j, key);
	old = j->table[cell];
	atomic_store(&j->map[n].seq, ++j->seq);
	j->table[cell] = n;
	if (old)
		release(j, old);
	return ERR_OK;
}

void journal_del(struct journal *j, const uint8_t key[JOURNAL_KEY])
{
	uint32_t cell = find(j, key), n = j->table[cell];

	if (!n)
		return;
	table_remove(j, cell);
	release(j, n);
}

/* The pieces of head N, put together in BUF. */
static size_t gather(const struct journal *j, uint32_t n, uint8_t *buf)
{
	size_t len = 0;

	for (; n; n = j->map[n].more) {
		memcpy(buf + len, j->map[n].value, j->map[n].len);
		len += j->map[n].len;
	}
	return len;
}

enum err journal_each(struct journal *j,
		      void (*fn)(void *arg, const uint8_t key[JOURNAL_KEY], const void *value,
				 size_t len),
		      void *arg)
{
	uint8_t *buf = talloc_size(j, JOURNAL_VALUE);

	if (!buf)
		return ERR_NOMEM;
	secret_mark(buf);
	for (uint32_t n = 1; n <= j->slots; n++)
		if (atomic_load(&j->map[n].seq))
			fn(arg, j->map[n].key, buf, gather(j, n, buf));
	talloc_free(buf);
	return ERR_OK;
}
