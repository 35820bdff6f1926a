/* template.c - placeholder expansion. */
#include "wire/template.h"

#include <string.h>

#include "base/buf.h"

/* The placeholder at TEXT, just behind its '%'; *USED gets the bytes it takes. */
static const struct template_var *match(const char *text, const struct template_var *vars,
					size_t *used)
{
	bool braced = text[0] == '{';
	size_t len = braced ? strcspn(text + 1, "}") : 1;

	if (braced && text[1 + len] != '}')
		return NULL;
	*used = braced ? len + 2 : 1;
	for (const struct template_var *v = vars; v->name; v++)
		if (strlen(v->name) == len && strncmp(v->name, text + braced, len) == 0 &&
		    (braced || v->bare))
			return v;
	return NULL;
}

enum err template_expand(TALLOC_CTX *ctx, const char *text, const struct template_var *vars,
			 char **out)
{
	struct buf b;
	size_t used;

	buf_init(&b, ctx, TEMPLATE_MAX);
	buf_puts(&b, "");
	while (*text) {
		size_t plain = strcspn(text, "%");
		buf_put(&b, text, plain);
		text += plain;
		if (!*text)
			break;
		const struct template_var *v = text[1] ? match(text + 1, vars, &used) : NULL;
		if (!v) {
			talloc_free(b.data);
			return ERR_SYNTAX;
		}
		buf_puts(&b, v->value ? v->value : "");
		text += 1 + used;
	}
	if (b.failed) {
		talloc_free(b.data);
		return ERR_TOO_LONG;
	}
	*out = b.data;
	return ERR_OK;
}
