/* form.c - the urlencoded body parser. */
#include "wire/form.h"

#include <string.h>

#include "base/secret.h"

static int hex_digit(char c)
{
	char lower = (char)(c | 0x20);

	if (c >= '0' && c <= '9')
		return c - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

enum err percent_decode(const char *text, size_t len, bool plus, char *out)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '%' && len - i > 2 && hex_digit(text[i + 1]) >= 0 &&
		    hex_digit(text[i + 2]) >= 0) {
			c = (char)(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (!c)
			return ERR_SYNTAX;
		*out++ = c;
	}
	*out = '\0';
	return ERR_OK;
}

/* One NAME=VALUE of LEN bytes; its texts go to *AT, which is advanced. */
static enum err parse_field(const char *text, size_t len, struct form_field *field, char **at)
{
	const char *eq = memchr(text, '=', len);
	size_t name_len = eq ? (size_t)(eq - text) : len;
	size_t value_len = eq ? len - name_len - 1 : 0;
	enum err err = percent_decode(text, name_len, true, *at);

	if (err)
		return err;
	field->name = *at;
	*at += strlen(*at) + 1;
	err = percent_decode(eq ? eq + 1 : "", value_len, true, *at);
	if (err)
		return err;
	field->value = *at;
	*at += strlen(*at) + 1;
	return ERR_OK;
}

static enum err parse_fields(const char *body, size_t len, struct form *form)
{
	char *at = form->text;

	for (size_t i = 0; i < len;) {
		const char *amp = memchr(body + i, '&', len - i);
		size_t n = amp ? (size_t)(amp - (body + i)) : len - i;
		if (n) {
			if (form->n == FORM_FIELDS)
				return ERR_TOO_LONG;
			enum err err = parse_field(body + i, n, &form->field[form->n], &at);
			if (err)
				return err;
			form->n++;
		}
		i += n + 1;
	}
	return ERR_OK;
}

enum err form_parse(TALLOC_CTX *ctx, const char *body, size_t len, struct form **out)
{
	/* decoding never lengthens; each field adds a NUL beyond the '=' and '&' it drops */
	struct form *form = talloc_zero_size(ctx, sizeof *form + len + FORM_FIELDS + 2);
	enum err err;

	if (!form)
		return ERR_NOMEM;
	talloc_set_name_const(form, "struct form");
	secret_mark(form);
	err = parse_fields(body, len, form);
	if (err)
		talloc_free(form);
	else
		*out = form;
	return err;
}

const char *form_get(const struct form *form, const char *name)
{
	for (size_t i = 0; i < form->n; i++)
		if (strcmp(form->field[i].name, name) == 0)
			return form->field[i].value;
	return NULL;
}
