/* test_cert_id.c - user and groups of certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/der_help.h"
#include "worker/cert_id.h"

#define CN  "2.5.4.3"
#define OU  "2.5.4.11"
#define UID "0.9.2342.19200300.100.1.1"

static const char oid_cn[] = "\x55\x04\x03", oid_ou[] = "\x55\x04\x0b", oid_san[] = "\x55\x1d\x11",
		  oid_upn[] = "\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03";

static struct made attribute(const char *oid, uint8_t tag, const void *value, size_t len)
{
	return MADE(DER_SET, MADE(DER_SEQUENCE, made_text(DER_OID, oid), made_of(tag, value, len)));
}

static struct made cn(const char *text)
{
	return attribute(oid_cn, DER_UTF8, text, strlen(text));
}

static struct made ou(const char *text)
{
	return attribute(oid_ou, DER_PRINTABLE, text, strlen(text));
}

/* Names of subjectAltName. */
static struct made mail(const char *text)
{
	return made_text(0x81, text);
}

static struct made host(const char *text)
{
	return made_text(0x82, text);
}

static struct made other(const char *oid, const char *text)
{
	return MADE(0xa0, made_text(DER_OID, oid), MADE(0xa0, made_text(DER_UTF8, text)));
}

/* A certificate with SUBJECT; EXTENSIONS is the last part of it, and may be empty. */
static struct made certificate_of(const struct made *subject, const struct made *extensions)
{
	return MADE(DER_SEQUENCE,
		    MADE(DER_SEQUENCE, MADE(0xa0, made_of(DER_INTEGER, "\2", 1)),
			 made_of(DER_INTEGER, "\x12\x34", 2), MADE(DER_SEQUENCE, made_of(5, "", 0)),
			 MADE(DER_SEQUENCE, cn("issuer")), MADE(DER_SEQUENCE, made_of(5, "", 0)),
			 *subject, MADE(DER_SEQUENCE, made_of(5, "", 0)), *extensions),
		    MADE(DER_SEQUENCE, made_of(5, "", 0)), made_of(DER_BIT_STRING, "\0x", 2));
}

/* LIST: SEQUENCE OF Extension. */
static struct made certificate_with(const struct made *list)
{
	struct made subject = MADE(DER_SEQUENCE, cn("ann")), extensions = MADE(0xa3, *list);

	return certificate_of(&subject, &extensions);
}

/* SAN may be NULL; another extension, a critical one, comes before it. */
static struct made certificate(const struct made *subject, const struct made *san)
{
	struct made extensions = { .len = 0 };

	if (san)
		extensions = MADE(
			0xa3, MADE(DER_SEQUENCE,
				   MADE(DER_SEQUENCE, made_text(DER_OID, "\x55\x1d\x0f"),
					made_of(0x01, "\xff", 1), made_text(DER_OCTET_STRING, "x")),
				   MADE(DER_SEQUENCE, made_text(DER_OID, oid_san),
					MADE(DER_OCTET_STRING, *san))));
	return certificate_of(subject, &extensions);
}

static int setup(void **state)
{
	*state = talloc_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

static enum err read_id(void **state, const struct made *subject, const struct made *san,
			const char *user_oid, const char *group_oid, struct cert_id **out)
{
	struct made all = certificate(subject, san);
	struct der in = made_der(&all);
	struct cert_parts parts;

	assert_int_equal(cert_parts_parse(&in, &parts), ERR_OK);
	return cert_id_read(*state, &parts, user_oid, group_oid, out);
}

/* The user, "" for none, NULL when the certificate is refused. */
static const char *user_of(void **state, const struct made *subject, const struct made *san,
			   const char *oid)
{
	struct cert_id *id;

	if (read_id(state, subject, san, oid, NULL, &id))
		return NULL;
	return id->user ? id->user : "";
}

static void parts_are_found(void **state)
{
	struct made subject = MADE(DER_SEQUENCE, cn("ann")), san = MADE(DER_SEQUENCE, mail("a@b"));
	struct made all = certificate(&subject, &san), name = MADE(DER_SEQUENCE, cn("issuer"));
	struct der in = made_der(&all), issuer = made_der(&name);
	struct cert_parts parts;

	(void)state;
	assert_int_equal(cert_parts_parse(&in, &parts), ERR_OK);
	assert_int_equal(parts.serial.len, 2);
	assert_memory_equal(parts.serial.p, "\x12\x34", 2);
	assert_true(der_equal(&parts.issuer, &issuer));
	assert_int_equal(parts.san.len, 5);
	for (size_t len = 0; len < all.len; len++) {
		in = (struct der){ all.data, len };
		assert_int_equal(cert_parts_parse(&in, &parts), ERR_SYNTAX);
	}
}

static void first_attribute_of_the_identifier_is_the_user(void **state)
{
	struct made subject = MADE(DER_SEQUENCE, ou("x"), cn("ann"), cn("bob"));

	assert_string_equal(user_of(state, &subject, NULL, CN), "ann");
	assert_string_equal(user_of(state, &subject, NULL, OU), "x");
	assert_string_equal(user_of(state, &subject, NULL, UID), "");
	assert_string_equal(user_of(state, &subject, NULL, "SAN(rfc822name)"), "");
}

static void attributes_of_one_rdn_count(void **state)
{
	struct made pair[] = {
		MADE(DER_SEQUENCE, made_text(DER_OID, oid_ou), made_text(DER_UTF8, "g")),
		MADE(DER_SEQUENCE, made_text(DER_OID, oid_cn), made_text(DER_UTF8, "ann")),
	};
	struct made subject = MADE(DER_SEQUENCE, made_around(DER_SET, pair, 2));

	assert_string_equal(user_of(state, &subject, NULL, CN), "ann");
	assert_string_equal(user_of(state, &subject, NULL, OU), "g");
}

/* protocol.md 10.5 */
static void only_names_of_the_right_type_count(void **state)
{
	struct made subject = MADE(DER_SEQUENCE, cn("ann"));
	struct made san = MADE(DER_SEQUENCE, host("a.b"), other(oid_cn, "no@b"),
			       other(oid_upn, "upn@b"), mail("first@b"), mail("second@b"));
	struct made hosts = MADE(DER_SEQUENCE, host("a.b"));

	assert_string_equal(user_of(state, &subject, &san, "SAN(rfc822name)"), "first@b");
	assert_string_equal(user_of(state, &subject, &san, "SAN(upn)"), "upn@b");
	assert_string_equal(user_of(state, &subject, &hosts, "SAN(rfc822name)"), "");
	assert_string_equal(user_of(state, &subject, &hosts, "SAN(upn)"), "");
}

static void two_lists_of_names_are_none(void **state)
{
	struct made san = MADE(DER_SEQUENCE, MADE(DER_SEQUENCE, mail("a@b"))), one, all;
	struct made extension;
	struct der in;
	struct cert_parts parts;

	(void)state;
	san.data[0] = DER_OCTET_STRING; /* contents: the list */
	one = MADE(DER_SEQUENCE, made_text(DER_OID, oid_san), san);
	for (unsigned n = 1; n <= 2; n++) {
		extension = n == 1 ? MADE(DER_SEQUENCE, one) : MADE(DER_SEQUENCE, one, one);
		all = certificate_with(&extension);
		in = made_der(&all);
		assert_int_equal(cert_parts_parse(&in, &parts), n == 1 ? ERR_OK : ERR_SYNTAX);
	}
}

static void names_that_lie_are_refused(void **state)
{
	static const char nul[] = "root\0x";
	char long_name[CERT_NAME_MAX + 2];
	struct made subject = MADE(DER_SEQUENCE, attribute(oid_cn, DER_UTF8, nul, 6));
	struct made san = MADE(DER_SEQUENCE, made_of(0x81, nul, 6), mail("a@b"));

	assert_null(user_of(state, &subject, NULL, CN));
	assert_null(user_of(state, &subject, &san, "SAN(rfc822name)"));
	subject = MADE(DER_SEQUENCE, attribute(oid_cn, DER_UTF8, "\xff", 1));
	assert_null(user_of(state, &subject, NULL, CN));
	subject = MADE(DER_SEQUENCE, attribute(oid_cn, DER_INTEGER, "1", 1));
	assert_null(user_of(state, &subject, NULL, CN));
	memset(long_name, 'u', sizeof long_name);
	subject = MADE(DER_SEQUENCE, attribute(oid_cn, DER_UTF8, long_name, CERT_NAME_MAX));
	assert_int_equal(strlen(user_of(state, &subject, NULL, CN)), CERT_NAME_MAX);
	subject = MADE(DER_SEQUENCE, attribute(oid_cn, DER_UTF8, long_name, CERT_NAME_MAX + 1));
	assert_null(user_of(state, &subject, NULL, CN));
	subject = MADE(DER_SEQUENCE, cn(""), cn("ann"));
	assert_string_equal(user_of(state, &subject, NULL, CN), "");
}

static void all_groups_count_once(void **state)
{
	struct made subject = MADE(DER_SEQUENCE, cn("ann"), ou("b"), ou("a"), ou("b"), ou(""));
	struct cert_id *id;

	assert_int_equal(read_id(state, &subject, NULL, CN, OU, &id), ERR_OK);
	assert_string_equal(id->user, "ann");
	assert_int_equal(id->groups.n, 2);
	assert_string_equal(id->groups.item[0], "b");
	assert_string_equal(id->groups.item[1], "a");
	assert_int_equal(read_id(state, &subject, NULL, CN, NULL, &id), ERR_OK);
	assert_int_equal(id->groups.n, 0);
	subject = MADE(DER_SEQUENCE, cn("ann"), attribute(oid_ou, DER_UTF8, "a\0b", 3));
	assert_int_equal(read_id(state, &subject, NULL, CN, OU, &id), ERR_SYNTAX);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(parts_are_found),
		CASE(first_attribute_of_the_identifier_is_the_user),
		CASE(attributes_of_one_rdn_count),
		CASE(only_names_of_the_right_type_count),
		CASE(two_lists_of_names_are_none),
		CASE(names_that_lie_are_refused),
		CASE(all_groups_count_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
