/* radius_memory.c - what is known of a line's servers, as lines "NAME DEAD_UNTIL SEALS". */
#include "auth/backend/radius_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { KEEP_MAX = 8192 };

static void take_line(char *line, const struct radius_servers *servers, struct radius_memory *out)
{
	char *name = strsep(&line, " "), *until = strsep(&line, " ");

	for (size_t i = 0; until && line && i < servers->n; i++) {
		if (strcmp(servers->item[i].name, name) != 0)
			continue;
		out->item[i].dead_until = strtoll(until, NULL, 10);
		out->item[i].seals = *line == '1';
	}
}

void radius_memory_read(const uint8_t *kept, size_t len, const struct radius_servers *servers,
			struct radius_memory *out)
{
	char text[KEEP_MAX], *rest = text, *line;

	*out = (struct radius_memory){ .item[0].dead_until = 0 };
	if (!kept || len >= sizeof text)
		return;
	memcpy(text, kept, len);
	text[len] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL)
		take_line(line, servers, out);
}

char *radius_memory_write(TALLOC_CTX *ctx, const struct radius_servers *servers,
			  const struct radius_memory *memory)
{
	struct buf b;

	buf_init(&b, ctx, KEEP_MAX - 1);
	buf_puts(&b, "");
	for (size_t i = 0; i < servers->n; i++)
		buf_printf(&b, "%s %" PRId64 " %d\n", servers->item[i].name,
			   memory->item[i].dead_until, memory->item[i].seals);
	return b.failed ? NULL : b.data;
}

static bool is_dead(const struct radius_memory *memory, size_t i, int64_t now)
{
	return memory->item[i].dead_until > now;
}

size_t radius_memory_order(const struct radius_servers *servers, const struct radius_memory *memory,
			   const char *first, int64_t now, size_t order[RADIUS_SERVERS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; first && i < servers->n; i++)
		if (strcmp(servers->item[i].name, first) == 0)
			order[n++] = i;
	for (size_t i = 0; i < servers->n; i++)
		if (!is_dead(memory, i, now) && !(n && order[0] == i))
			order[n++] = i;
	if (n)
		return n;
	for (size_t i = 0; i < servers->n; i++)
		order[n++] = i;
	return n;
}
