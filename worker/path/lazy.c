/* lazy.c - anonymous mappings as buffers.  Used by the data path. */
#include "worker/path/lazy.h"

#include <sys/mman.h>

static int unmap(struct lazy *l)
{
	munmap(l->data, l->size);
	return 0;
}

enum err lazy_new(TALLOC_CTX *ctx, size_t size, struct lazy **out)
{
	struct lazy *l = talloc_zero(ctx, struct lazy);
	if (!l)
		return ERR_NOMEM;
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (data == MAP_FAILED) {
		talloc_free(l);
		return ERR_NOMEM;
	}
	/* A huge page would back 2 MiB for the first byte touched. */
	(void)madvise(data, size, MADV_NOHUGEPAGE);
	l->data = data;
	l->size = size;
	talloc_set_destructor(l, unmap);
	*out = l;
	return ERR_OK;
}

enum err lazy_need(TALLOC_CTX *ctx, size_t size, struct lazy **l)
{
	return *l ? ERR_OK : lazy_new(ctx, size, l);
}

void lazy_trim(struct lazy *l)
{
	if (l)
		(void)madvise(l->data, l->size, MADV_DONTNEED);
}
