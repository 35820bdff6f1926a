/* gssapi_text.c - headers and names of the backend `gssapi`; pure. */
#include <string.h>

#include "auth/backend/gssapi.h"

static const char scheme[] = "Negotiate";

enum err gssapi_token(TALLOC_CTX *ctx, const char *header, uint8_t **out, size_t *len)
{
	const char *text = header + sizeof scheme - 1;
	size_t text_len;
	uint8_t *token;
	enum err err;

	if (!str_starts_nocase(header, scheme) || *text != ' ')
		return ERR_NOT_FOUND;
	text += strspn(text, " ");
	text_len = strlen(text);
	if (!text_len)
		return ERR_NOT_FOUND;
	token = talloc_size(ctx, text_len);
	if (!token)
		return ERR_NOMEM;
	err = base64_decode(text, text_len, token,
			    text_len < GSSAPI_TOKEN_MAX ? text_len : GSSAPI_TOKEN_MAX, len);
	if (err)
		talloc_free(token);
	else
		*out = token;
	return err;
}

char *gssapi_header(TALLOC_CTX *ctx, const void *token, size_t len)
{
	char *text;

	if (!len)
		return talloc_strdup(ctx, scheme);
	text = base64_encode(ctx, token, len);
	return text ? talloc_asprintf(ctx, "%s %s", scheme, text) : NULL;
}

char *gssapi_first_component(TALLOC_CTX *ctx, const char *principal, size_t len)
{
	size_t n = 0;

	/* Behind a backslash stands a character of the name that only looks like its end. */
	if (memchr(principal, '\\', len) || memchr(principal, '\0', len))
		return NULL;
	while (n < len && principal[n] != '/' && principal[n] != '@')
		n++;
	return n ? talloc_strndup(ctx, principal, n) : NULL;
}
