/* ldap_keep.c - "dead UNTIL URI" and "check UNTIL MILLISECONDS", line by line. */
#include "auth/backend/ldap_keep.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"

enum { KEEP_TEXT = 16384 };

static void read_line(struct ldap_keep *k, char *line)
{
	const char *word = strsep(&line, " "), *until = line ? strsep(&line, " ") : NULL;
	uint64_t time, ms;

	if (!line || !*line || str_to_u64(until, INT64_MAX, &time))
		return;
	if (strcmp(word, "dead") == 0 && k->n_dead < LDAP_SERVERS_MAX) {
		k->dead[k->n_dead++] = (struct ldap_dead){ line, (int64_t)time };
	} else if (strcmp(word, "check") == 0 && !str_to_u64(line, LDAP_WAIT_MAX_MS, &ms)) {
		k->check_ms = (unsigned)ms;
		k->check_until = (int64_t)time;
	}
}

enum err ldap_keep_read(TALLOC_CTX *ctx, const uint8_t *data, size_t len, struct ldap_keep *out)
{
	char *text, *line;

	*out = (struct ldap_keep){ .n_dead = 0 };
	if (!data || !len)
		return ERR_OK;
	text = talloc_strndup(ctx, (const char *)data, len);
	if (!text)
		return ERR_NOMEM;
	while ((line = strsep(&text, "\n")) != NULL)
		read_line(out, line);
	return ERR_OK;
}

enum err ldap_keep_write(TALLOC_CTX *ctx, const struct ldap_keep *k, const uint8_t **out,
			 size_t *len)
{
	struct buf b;

	buf_init(&b, ctx, KEEP_TEXT);
	buf_printf(&b, "check %lld %u\n", (long long)k->check_until, k->check_ms);
	for (size_t i = 0; i < k->n_dead; i++)
		buf_printf(&b, "dead %lld %s\n", (long long)k->dead[i].until, k->dead[i].uri);
	if (b.failed)
		return ERR_TOO_LONG;
	*out = (const uint8_t *)b.data;
	*len = b.len;
	return ERR_OK;
}

static struct ldap_dead *find(const struct ldap_keep *k, const char *uri)
{
	for (size_t i = 0; i < k->n_dead; i++)
		if (strcmp(k->dead[i].uri, uri) == 0)
			return (struct ldap_dead *)(uintptr_t)&k->dead[i];
	return NULL;
}

bool ldap_keep_is_dead(const struct ldap_keep *k, const char *uri, int64_t now)
{
	const struct ldap_dead *d = find(k, uri);

	return d && d->until > now;
}

void ldap_keep_set_dead(struct ldap_keep *k, const char *uri, int64_t now)
{
	struct ldap_dead *d = find(k, uri);

	if (!d && k->n_dead < LDAP_SERVERS_MAX)
		d = &k->dead[k->n_dead++];
	if (d)
		*d = (struct ldap_dead){ uri, now + LDAP_DEAD_SECONDS };
}

void ldap_keep_set_alive(struct ldap_keep *k, const char *uri)
{
	struct ldap_dead *d = find(k, uri);

	if (d)
		*d = k->dead[--k->n_dead];
}

void ldap_keep_took(struct ldap_keep *k, unsigned ms, int64_t now)
{
	if (ms <= k->check_ms && now < k->check_until)
		return;
	k->check_ms = ms < LDAP_WAIT_MAX_MS ? ms : LDAP_WAIT_MAX_MS;
	k->check_until = now + LDAP_CHECK_SECONDS;
}

unsigned ldap_keep_wait(const struct ldap_keep *k)
{
	unsigned ms = k->check_ms + k->check_ms / 4;
	unsigned steps = ms / LDAP_WAIT_STEP_MS + 1;

	ms = steps * LDAP_WAIT_STEP_MS;
	return ms < LDAP_WAIT_MAX_MS ? ms : LDAP_WAIT_MAX_MS;
}
