/* fuzz_auth_passwd.c - lines of the password file and their group lists. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "auth/backend/backend.h"
#include "auth/backend/passwd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	char *line = talloc_size(ctx, size + 1);
	struct passwd_entry e;
	struct strv groups = { .n = 0 };

	if (size)
		memcpy(line, data, size);
	line[size] = '\0';
	if (!passwd_line_parse(line, size, &e)) {
		if (!*e.user || strchr(e.user, ':') || strchr(e.groups, ':') || strchr(e.hash, ':'))
			abort();
		if (passwd_groups_parse(ctx, e.groups, &groups))
			abort();
		for (size_t i = 0; i < groups.n; i++) {
			size_t len = strlen(groups.item[i]);

			if (len < 2 || len > BACKEND_GROUP_MAX || strchr(groups.item[i], ','))
				abort();
		}
	}
	talloc_free(ctx);
	return 0;
}
