/* fuzz_auth_ldap.c - the texts of the backend ldap: names in filters and DNs, DNs of groups, its
 * file and what it keeps.  The first byte chooses; a NUL byte parts template and name. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "auth/backend/ldap_file.h"
#include "auth/backend/ldap_keep.h"
#include "auth/backend/ldap_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the name holds, the filter has the parentheses and wildcards of its template. */
static void check_filter(TALLOC_CTX *ctx, const char *template, const char *name)
{
	const struct ldap_names names = { name, name }, plain = { "x", "x" };
	char *out, *reference;

	if (ldap_filter_fault(template, "ud", false))
		return;
	if (ldap_expand(ctx, template, LDAP_FOR_FILTER, &names, &out) ||
	    ldap_expand(ctx, template, LDAP_FOR_FILTER, &plain, &reference))
		return;
	for (const char *c = "()*"; *c; c++) {
		size_t n = 0;

		for (const char *p = out; *p; p++)
			n += *p == *c;
		for (const char *p = reference; *p; p++)
			n -= *p == *c;
		if (n)
			abort();
	}
}

/* A name that went into a DN comes out of it again. */
static void check_dn(TALLOC_CTX *ctx, const char *name)
{
	const struct ldap_names names = { name, NULL };
	char *dn, *back;

	if (ldap_expand(ctx, "uid=%u,dc=x", LDAP_FOR_DN, &names, &dn))
		return;
	if (!ldap_rdn_value(ctx, dn, &back) && strcmp(back, name) != 0)
		abort();
}

static void check_texts(TALLOC_CTX *ctx, const char *first, const char *second)
{
	char *out;
	bool expired;

	check_filter(ctx, first, second);
	check_dn(ctx, second);
	(void)ldap_dn_fault(first);
	(void)ldap_user_attr(ctx, first);
	(void)ldap_ad_reason(first, &expired);
	if (!ldap_rdn_value(ctx, first, &out) && !*out)
		abort();
}

static void check_keep(TALLOC_CTX *ctx, const uint8_t *data, size_t size)
{
	struct ldap_keep k;
	const uint8_t *out;
	size_t len;

	if (ldap_keep_read(ctx, data, size, &k))
		return;
	if (ldap_keep_wait(&k) > LDAP_WAIT_MAX_MS || k.n_dead > LDAP_SERVERS_MAX)
		abort();
	(void)!ldap_keep_write(ctx, &k, &out, &len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct backend_pairs pairs = { .n = 0 };
	unsigned line;
	char *text;

	if (size < 2) {
		talloc_free(ctx);
		return 0;
	}
	text = talloc_size(ctx, size + 1);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = text[size] = '\0';
	if (data[0] == 'f') {
		(void)!ldap_file_parse(ctx, text, size - 1, &pairs, &line);
		if (pairs.n > LDAP_PAIRS_MAX)
			abort();
	} else if (data[0] == 'k') {
		check_keep(ctx, data + 1, size - 1);
	} else {
		check_texts(ctx, text, text + strlen(text) + 1);
	}
	talloc_free(ctx);
	return 0;
}
