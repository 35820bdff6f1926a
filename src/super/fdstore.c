/* fdstore.c - a small hash of kept descriptors. */
#include "super/fdstore.h"

#include <unistd.h>

enum { BUCKETS = 1024 };

struct entry {
	struct kept_fd kept;
	struct entry *next;
};

struct fdstore {
	struct entry *bucket[BUCKETS];
};

static struct entry **slot(const struct fdstore *s, FdKind kind, uint64_t id)
{
	/* Worker ids are consecutive, so the low bits spread them evenly. */
	struct entry *const *first = &s->bucket[(id * 8 + (uint64_t)kind) % BUCKETS];
	struct entry **e = (struct entry **)(uintptr_t)first;

	while (*e && ((*e)->kept.kind != kind || (*e)->kept.id != id))
		e = &(*e)->next;
	return e;
}

static int entry_free(struct entry *e)
{
	close(e->kept.fd);
	return 0;
}

enum err fdstore_new(TALLOC_CTX *ctx, struct fdstore **out)
{
	struct fdstore *s = talloc_zero(ctx, struct fdstore);

	if (!s)
		return ERR_NOMEM;
	*out = s;
	return ERR_OK;
}

enum err fdstore_keep(struct fdstore *s, FdKind kind, uint64_t id, int fd, const void *note,
		      size_t note_len)
{
	struct entry *e = talloc_zero(s, struct entry), **at;

	if (!e) {
		close(fd);
		return ERR_NOMEM;
	}
	e->kept = (struct kept_fd){ .kind = kind, .id = id, .fd = fd, .note_len = note_len };
	talloc_set_destructor(e, entry_free);
	e->kept.note = talloc_memdup(e, note, note_len);
	if (note_len && !e->kept.note) {
		talloc_free(e);
		return ERR_NOMEM;
	}
	fdstore_drop(s, kind, id);
	at = slot(s, kind, id);
	*at = e;
	return ERR_OK;
}

void fdstore_drop(struct fdstore *s, FdKind kind, uint64_t id)
{
	struct entry **at = slot(s, kind, id), *e = *at;

	if (!e)
		return;
	*at = e->next;
	talloc_free(e);
}

enum err fdstore_each(const struct fdstore *s,
		      enum err (*fn)(void *arg, const struct kept_fd *kept), void *arg)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (const struct entry *e = s->bucket[i]; e; e = e->next) {
			enum err err = fn(arg, &e->kept);
			if (err)
				return err;
		}
	}
	return ERR_OK;
}
