/* backend.c - finds backends by name.  Used by auth. */
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
