/* fuzz_passwd.c - any file text survives any edit, and editing twice changes nothing more.
 * The first byte chooses the action and the length of the user name that follows. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/passwd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
	if (!truth)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct passwd_edit edit = { .groups = "g1,g2", .hash = "$5$salt$hash" };
	TALLOC_CTX *ctx = talloc_new(NULL);
	size_t name, len, again_len;
	char *out, *again;

	if (size > 0) {
		edit.action = (enum passwd_action)(data[0] & 3);
		name = data[0] >> 2;
		data++;
		size--;
		name = name < size ? name : size;
		edit.user = talloc_strndup(ctx, (const char *)data, name);
		data += name;
		size -= name;
		if (!passwd_apply(ctx, (const char *)data, size, &edit, &out, &len)) {
			require(strlen(out) == len && (len == 0 || out[len - 1] == '\n'));
			require(!passwd_apply(ctx, out, len, &edit, &again, &again_len));
			require(len == again_len || edit.action == PASSWD_UNLOCK);
		}
	}
	talloc_free(ctx);
	return 0;
}
