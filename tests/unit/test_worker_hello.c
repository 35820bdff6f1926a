/* test_worker_hello.c - what is read out of ClientHellos. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/hello.h"

enum { TICKET = 40 };

/* A hello that is put together. */
struct made {
	uint8_t data[1024];
	size_t len, extensions; /* where their length is */
};

static void put(struct made *m, const void *data, size_t len)
{
	memcpy(m->data + m->len, data, len);
	m->len += len;
}

static void put16(struct made *m, size_t value)
{
	const uint8_t two[2] = { (uint8_t)(value >> 8), (uint8_t)value };

	put(m, two, 2);
}

/* Version, random number, no session id, one suite, one compression method. */
static void begin(struct made *m)
{
	static const uint8_t head[] = { 3, 3, [34] = 0, 0, 2, 0x13, 1, 1, 0 };

	m->len = 0;
	put(m, head, sizeof head);
	m->extensions = m->len;
	put16(m, 0);
}

static void extension(struct made *m, unsigned id, const void *data, size_t len)
{
	size_t all;

	put16(m, id);
	put16(m, len);
	put(m, data, len);
	all = m->len - m->extensions - 2;
	m->data[m->extensions] = (uint8_t)(all >> 8);
	m->data[m->extensions + 1] = (uint8_t)all;
}

static void name(struct made *m, const char *text, size_t len)
{
	uint8_t list[512] = { (uint8_t)((len + 3) >> 8), (uint8_t)(len + 3), 0, (uint8_t)(len >> 8),
			      (uint8_t)len };

	memcpy(list + 5, text, len);
	extension(m, 0, list, len + 5);
}

static const uint8_t *ticket(uint8_t first)
{
	static uint8_t bytes[TICKET];

	memset(bytes, first, sizeof bytes);
	return bytes;
}

/* One identity with its age, and a binder. */
static void psk(struct made *m, const uint8_t *identity, uint8_t len)
{
	uint8_t list[256] = { 0, (uint8_t)(len + 6), 0, len };

	memcpy(list + 4, identity, len);
	list[4 + len + 5] = 33;
	list[4 + len + 6] = 32;
	extension(m, 41, list, 4u + len + 4 + 2 + 33);
}

static struct hello read(const struct made *m)
{
	const gnutls_datum_t msg = { (uint8_t *)(uintptr_t)m->data, (unsigned)m->len };
	struct hello h;

	memset(&h, 0xff, sizeof h);
	hello_read(&msg, &h);
	return h;
}

static void plain_hello_says_nothing(void **state)
{
	struct made m;
	struct hello h;

	(void)state;
	begin(&m);
	extension(&m, 35, "", 0); /* tickets are welcome, there is none yet */
	h = read(&m);
	assert_string_equal(h.name, "");
	assert_int_equal(h.offers, 0);
}

static void name_and_ticket_of_tls12_are_read(void **state)
{
	struct made m;
	struct hello h;

	(void)state;
	begin(&m);
	name(&m, "vpn.example", 11);
	extension(&m, 35, ticket(7), TICKET);
	h = read(&m);
	assert_string_equal(h.name, "vpn.example");
	assert_int_equal(h.offers, HELLO_TLS12);
	assert_memory_equal(h.ticket, ticket(7), HELLO_TICKET);
}

static void first_identity_of_tls13_is_read(void **state)
{
	struct made m;
	struct hello h;

	(void)state;
	begin(&m);
	psk(&m, ticket(9), TICKET);
	h = read(&m);
	assert_int_equal(h.offers, HELLO_TLS13);
	assert_memory_equal(h.ticket, ticket(9), HELLO_TICKET);
}

static void both_versions_are_told_apart_from_one(void **state)
{
	struct made m;

	(void)state;
	begin(&m);
	extension(&m, 35, ticket(7), TICKET);
	psk(&m, ticket(9), TICKET);
	assert_int_equal(read(&m).offers, HELLO_TLS12 | HELLO_TLS13);
}

static void tickets_too_short_to_have_a_name_are_none(void **state)
{
	struct made m;

	(void)state;
	begin(&m);
	extension(&m, 35, ticket(7), HELLO_TICKET - 1);
	psk(&m, ticket(9), HELLO_TICKET - 1);
	assert_int_equal(read(&m).offers, 0);
}

static void names_that_cannot_be_are_none(void **state)
{
	static char longest[HELLO_NAME];
	struct made m;

	(void)state;
	begin(&m);
	name(&m, "vpn\0.example", 12);
	assert_string_equal(read(&m).name, "");
	begin(&m);
	memset(longest, 'a', sizeof longest);
	name(&m, longest, HELLO_NAME);
	assert_string_equal(read(&m).name, "");
	begin(&m);
	name(&m, longest, HELLO_NAME - 1);
	assert_int_equal(strlen(read(&m).name), HELLO_NAME - 1);
	begin(&m);
	extension(&m, 0, "\0\4\1\0\1a", 6); /* of another type */
	assert_string_equal(read(&m).name, "");
}

static void cut_hellos_are_read_as_far_as_they_are_whole(void **state)
{
	struct made m;

	(void)state;
	begin(&m);
	name(&m, "vpn.example", 11);
	extension(&m, 35, ticket(7), TICKET);
	psk(&m, ticket(9), TICKET);
	for (size_t whole = m.len; m.len; m.len--)
		assert_true(m.len == whole || read(&m).offers <= (HELLO_TLS12 | HELLO_TLS13));
}

static void lengths_beyond_the_extension_are_ignored(void **state)
{
	uint8_t list[TICKET] = { 0, 200, 0, 200 };
	struct made m;

	(void)state;
	begin(&m);
	extension(&m, 41, list, sizeof list);
	extension(&m, 0, "\0\xff\0\0\4name", 9);
	assert_int_equal(read(&m).offers, 0);
	assert_string_equal(read(&m).name, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_hello_says_nothing),
		cmocka_unit_test(name_and_ticket_of_tls12_are_read),
		cmocka_unit_test(first_identity_of_tls13_is_read),
		cmocka_unit_test(both_versions_are_told_apart_from_one),
		cmocka_unit_test(tickets_too_short_to_have_a_name_are_none),
		cmocka_unit_test(names_that_cannot_be_are_none),
		cmocka_unit_test(cut_hellos_are_read_as_far_as_they_are_whole),
		cmocka_unit_test(lengths_beyond_the_extension_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
