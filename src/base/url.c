/* url.c - hides PINs in URLs. */
#include "base/url.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* RFC 7512 2.3 separates what is behind the "?" with "&"; elder libraries take the PIN among the
 * attributes of the path, which ";" separates. */
char *url_printable(TALLOC_CTX *ctx, const char *text)
{
	static const char pin[] = "pin-value=";
	char *out = talloc_strdup(ctx, "");

	if (!str_starts_nocase(text, "pkcs11:"))
		return out ? talloc_strdup_append(out, text) : NULL;
	for (const char *at; out && (at = strcasestr(text, pin)) != NULL;) {
		at += sizeof pin - 1;
		out = talloc_asprintf_append(out, "%.*s...", (int)(at - text), text);
		text = at + strcspn(at, "&;");
	}
	return out ? talloc_strdup_append(out, text) : NULL;
}
