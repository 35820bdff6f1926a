/* nft.c - libnftables. */
#include "main/nft.h"

#include <string.h>

#include <nftables/libnftables.h>

/* A context for one call: what it remembers of the kernel's tables grows with them, and the next
 * call would have to read them again anyway, since something has changed. */
static struct nft_ctx *open_context(void)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);

	if (nft && (nft_ctx_buffer_output(nft) || nft_ctx_buffer_error(nft))) {
		nft_ctx_free(nft);
		nft = NULL;
	}
	return nft;
}

/* The first line says what is wrong; the next ones point into the text. */
static char *reason(TALLOC_CTX *ctx, struct nft_ctx *nft)
{
	const char *text = nft_ctx_get_error_buffer(nft);

	return talloc_strndup(ctx, text, strcspn(text, "\n"));
}

enum err nft_run(TALLOC_CTX *ctx, const char *text, char **why)
{
	struct nft_ctx *nft = open_context();
	bool ok;

	if (!nft)
		return ERR_NOMEM;
	ok = nft_run_cmd_from_buffer(nft, text) == 0;
	if (!ok && why)
		*why = reason(ctx, nft);
	nft_ctx_free(nft);
	return ok ? ERR_OK : ERR_SYS;
}

enum err nft_query(TALLOC_CTX *ctx, const char *text, char **out)
{
	struct nft_ctx *nft = open_context();
	char *copy = NULL;
	bool ok;

	if (!nft)
		return ERR_NOMEM;
	ok = nft_run_cmd_from_buffer(nft, text) == 0;
	if (ok)
		copy = talloc_strdup(ctx, nft_ctx_get_output_buffer(nft));
	nft_ctx_free(nft);
	if (!ok)
		return ERR_SYS;
	if (!copy)
		return ERR_NOMEM;
	*out = copy;
	return ERR_OK;
}
