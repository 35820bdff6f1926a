/* pairs.c - sub-options of auth lines.  Used by auth and its runners; apart from backend.c, which
 * would bring every backend's auth line, and what those need, into every runner. */
#include "auth/backend/backend.h"

#include <string.h>

const char *backend_pair_get(const struct backend_pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (strcmp(pairs->item[i].key, key) == 0)
			return pairs->item[i].value;
	return NULL;
}
