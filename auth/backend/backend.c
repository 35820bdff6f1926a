/* backend.c - finds backends by name.  Used by auth and its runners. */
#include "auth/backend/backend.h"

#include <string.h>

static const struct auth_backend *const backends[] = {
#define BACKEND(id) &backend_##id,
#include "auth/backend/list.def"
#undef BACKEND
};

const struct auth_backend *backend_find(const char *name)
{
	for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++)
		if (strcmp(backends[i]->name, name) == 0)
			return backends[i];
	return NULL;
}

const char *backend_pair_get(const struct backend_pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (strcmp(pairs->item[i].key, key) == 0)
			return pairs->item[i].value;
	return NULL;
}
