/* ldap_text.c - templates of filters and DNs, and the parts of DNs. */
#include "auth/backend/ldap_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

enum { TEXT_MAX = 8192 };

static const char attr_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";

/* ---- templates ------------------------------------------------------------ */

/* A hexadecimal pair may stand for any byte, in both syntaxes; so whatever might mean something is
 * written that way, UTF-8 included. */
static void put_escaped(struct buf *b, const char *value, enum ldap_quoting quoting)
{
	const char *special = quoting == LDAP_FOR_FILTER ? "*()\\" : ",+\"\\<>;=#";

	for (const char *c = value; *c; c++) {
		unsigned char byte = (unsigned char)*c;
		/* Blanks at the ends of a value are not part of it unless they are escaped. */
		bool end = *c == ' ' && (c == value || !c[1]);

		if (byte < 0x20 || byte >= 0x7f || end || strchr(special, *c))
			buf_printf(b, "\\%02x", byte);
		else
			buf_putc(b, *c);
	}
}

enum err ldap_expand(TALLOC_CTX *ctx, const char *template, enum ldap_quoting quoting,
		     const struct ldap_names *names, char **out)
{
	struct buf b;

	buf_init(&b, ctx, TEXT_MAX);
	buf_puts(&b, "");
	for (const char *c = template; *c; c++) {
		const char *value;

		if (*c != '%' || c[1] == '%') {
			buf_putc(&b, *c);
			c += *c == '%';
			continue;
		}
		c++;
		if (*c != 'u' && *c != 'd')
			return ERR_SYNTAX;
		value = *c == 'u' ? names->user : names->dn;
		if (!value && quoting == LDAP_FOR_DN)
			return ERR_SYNTAX;
		if (value)
			put_escaped(&b, value, quoting);
		else
			buf_putc(&b, '*');
	}
	if (b.failed)
		return ERR_TOO_LONG;
	*out = b.data;
	return *out ? ERR_OK : ERR_SYNTAX;
}

/* A letter after a % that LETTERS lacks, or none at all. */
static bool has_bad_letter(const char *template, const char *letters)
{
	for (const char *c = template; (c = strchr(c, '%')) != NULL; c += 2)
		if (!c[1] || (c[1] != '%' && !strchr(letters, c[1])))
			return true;
	return false;
}

/* The place of the next %u or %d from C on, or NULL. */
static const char *next_name(const char *c)
{
	while ((c = strchr(c, '%')) != NULL && c[1] == '%')
		c += 2;
	return c;
}

/* Every name must be a value, behind the only '=' of its item: what is escaped for a filter could
 * still mean something in a DN inside of it. */
static bool names_are_values(const char *template, const char *separators)
{
	const char *c = template;

	while ((c = next_name(c)) != NULL) {
		unsigned equals = 0;

		for (const char *p = c; p > template && !strchr(separators, p[-1]); p--)
			equals += p[-1] == '=';
		if (equals != 1)
			return false;
		c++;
	}
	return true;
}

/* One open parenthesis for each closed one, none of them closed before it is opened. */
static bool is_balanced(const char *filter)
{
	size_t depth = 0;

	for (const char *c = filter; *c; c++) {
		if (*c == '(')
			depth++;
		else if (*c == ')' && depth-- == 0)
			return false;
		if (!depth && c[1])
			return false;
	}
	return !depth && *filter == '(';
}

const char *ldap_filter_fault(const char *filter, const char *letters, bool needed)
{
	if (!is_balanced(filter))
		return "is not one filter in parentheses; write for example (uid=%u)";
	if (has_bad_letter(filter, letters))
		return strchr(letters, 'd') ? "has a % before another letter than u or d; "
					      "write %% for a percent sign"
					    : "has a % before another letter than u; "
					      "write %% for a percent sign";
	if (needed && !next_name(filter))
		return strchr(letters, 'd') ? "names no member; write for example (member=%d)"
					    : "names no user; write for example (uid=%u)";
	if (!names_are_values(filter, "()"))
		return "has a name where no value is; write for example (uid=%u)";
	return NULL;
}

const char *ldap_dn_fault(const char *dn)
{
	if (has_bad_letter(dn, "u"))
		return "has a % before another letter than u; write %% for a percent sign";
	if (!next_name(dn) || !names_are_values(dn, ",+"))
		return "names no user; write for example uid=%u,ou=people,dc=example,dc=com";
	return NULL;
}

/* Whether the whole value is the name. */
static bool is_value_end(char c)
{
	return !c || strchr("),+", c);
}

char *ldap_user_attr(TALLOC_CTX *ctx, const char *template)
{
	const char *c = template;

	while ((c = strstr(c, "=%u")) != NULL) {
		const char *start = c;

		while (start > template && strchr(attr_chars, start[-1]))
			start--;
		if (start < c && is_value_end(c[3]) && (start == template || start[-1] != ':'))
			return talloc_strndup(ctx, start, (size_t)(c - start));
		c += 3;
	}
	return NULL;
}

/* ---- distinguished names -------------------------------------------------- */

/* The byte behind a backslash, which *P points at; advances it.  -1: none. */
static int unescape(const char **p)
{
	char pair[3];
	uint8_t byte;

	snprintf(pair, sizeof pair, "%.2s", *p);
	if (hex_decode(pair, &byte, 1) == ERR_OK) {
		*p += 2;
		return byte;
	}
	return **p ? (unsigned char)*(*p)++ : -1;
}

/* Appends the value at P to B.  False: not a readable one. */
static bool put_value(struct buf *b, const char *p)
{
	size_t solid = 0; /* length without blanks that were not escaped */

	while (*p && !strchr(",+;", *p)) {
		bool escaped = *p == '\\';
		int byte;

		p += escaped;
		byte = escaped ? unescape(&p) : (unsigned char)*p++;
		if (byte < 0x20 || byte == 0x7f || (byte == '"' && !escaped))
			return false;
		buf_putc(b, (char)byte);
		if (escaped || byte != ' ')
			solid = b->len;
	}
	if (b->failed || !solid)
		return false;
	b->len = solid;
	b->data[solid] = '\0';
	return true;
}

enum err ldap_rdn_value(TALLOC_CTX *ctx, const char *text, char **out)
{
	const char *p = text + strspn(text, " ");
	size_t len = strspn(p, attr_chars);
	struct buf b;

	if (!len || !isalnum((unsigned char)*p))
		return ERR_SYNTAX;
	p += len;
	p += strspn(p, " ");
	if (*p++ != '=')
		return ERR_SYNTAX;
	p += strspn(p, " ");
	buf_init(&b, ctx, TEXT_MAX);
	/* '#' begins a BER encoding, which is no name. */
	if (*p == '#' || !put_value(&b, p)) {
		talloc_free(b.data);
		return ERR_UNSUPPORTED;
	}
	*out = b.data;
	return ERR_OK;
}

/* ---- Active Directory ----------------------------------------------------- */

/* Windows error codes, hexadecimal, in "..., data 52e, v2580". */
static const struct {
	unsigned code;
	bool expired;
	const char *text;
} ad_reasons[] = {
	{ 0x525, false, "no such user" },
	{ 0x52e, false, "wrong password" },
	{ 0x530, false, "not permitted at this time" },
	{ 0x531, false, "not permitted at this workstation" },
	{ 0x532, true, "password expired" },
	{ 0x533, false, "account disabled" },
	{ 0x701, false, "account expired" },
	{ 0x773, true, "password must be changed" },
	{ 0x775, false, "account locked" },
};

const char *ldap_ad_reason(const char *diagnostic, bool *expired)
{
	const char *data = strstr(diagnostic, ", data ");
	unsigned long code;

	if (!data)
		return NULL;
	code = strtoul(data + strlen(", data "), NULL, 16);
	for (size_t i = 0; i < sizeof ad_reasons / sizeof ad_reasons[0]; i++) {
		if (ad_reasons[i].code != code)
			continue;
		*expired = ad_reasons[i].expired;
		return ad_reasons[i].text;
	}
	return NULL;
}
