/* ldap_memory.c - an allocator that wipes, on top of the C library's. */
#include "auth/backend/ldap_memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <lber.h>

#include "base/secret.h"

static void *get(ber_len_t size, void *ctx)
{
	(void)ctx;
	return malloc(size);
}

static void *get_zeros(ber_len_t n, ber_len_t size, void *ctx)
{
	(void)ctx;
	return calloc(n, size);
}

static void put_back(void *p, void *ctx)
{
	(void)ctx;
	if (p)
		secret_wipe(p, malloc_usable_size(p));
	free(p);
}

/* The C library's own would leave a copy behind when it moves the block. */
static void *resize(void *p, ber_len_t size, void *ctx)
{
	size_t old = p ? malloc_usable_size(p) : 0;
	void *new = malloc(size);

	if (!new)
		return NULL;
	if (p)
		memcpy(new, p, old < size ? old : size);
	put_back(p, ctx);
	return new;
}

void ldap_memory_wipes(void)
{
	BerMemoryFunctions functions = {
		.bmf_malloc = get,
		.bmf_calloc = get_zeros,
		.bmf_realloc = resize,
		.bmf_free = put_back,
	};

	/* Refused when it was set before. */
	(void)ber_set_option(NULL, LBER_OPT_MEMORY_FNS, &functions);
}
