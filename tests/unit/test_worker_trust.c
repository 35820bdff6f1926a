/* test_worker_trust.c - authorities and revocation lists out of the shared area. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/serials.h"
#include "worker/trust.h"

enum { ISSUER = 4, SERIALS = 2, AREA = ISSUER + SERIALS * SERIAL_RECORD };

struct fixture {
	TALLOC_CTX *ctx;
	struct trust_area area;
	gnutls_certificate_credentials_t cred;
	Span ca, issuer, serial;
	Revoked revoked, *list[1];
	HostCerts msg;
};

/* An area with the name of an issuer and two serial numbers. */
static int area_fd(void)
{
	uint8_t data[AREA] = { DER_SEQUENCE, 2, 5, 0 };
	int fd = memfd_create("area", MFD_CLOEXEC);

	assert_int_equal(serial_put(data + ISSUER, (const uint8_t *)"\x12\x34", 2), ERR_OK);
	assert_int_equal(serial_put(data + ISSUER + SERIAL_RECORD, (const uint8_t *)"\7", 1),
			 ERR_OK);
	serials_sort(data + ISSUER, SERIALS);
	assert_int_equal(write(fd, data, sizeof data), sizeof data);
	return fd;
}

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);
	int fd = area_fd();

	f->ctx = f;
	assert_int_equal(trust_map(fd, &f->area), ERR_OK);
	close(fd);
	assert_int_equal(gnutls_certificate_allocate_credentials(&f->cred), 0);
	span__init(&f->ca);
	span__init(&f->issuer);
	span__init(&f->serial);
	revoked__init(&f->revoked);
	host_certs__init(&f->msg);
	f->issuer.len = ISSUER;
	f->serial.at = ISSUER;
	f->serial.len = SERIALS * SERIAL_RECORD;
	f->revoked.issuer = &f->issuer;
	f->revoked.serial = &f->serial;
	f->list[0] = &f->revoked;
	f->msg.ca = &f->ca;
	f->msg.revoked = f->list;
	f->msg.n_revoked = 1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	gnutls_certificate_free_credentials(f->cred);
	trust_unmap(&f->area);
	talloc_free(f);
	return 0;
}

static enum err take(struct fixture *f, struct trust *out)
{
	*out = (struct trust){ .n = 0 };
	return trust_take(f->ctx, &f->area, &f->msg, f->cred, out);
}

static bool revoked(const struct trust *trust, const char *issuer, const char *serial)
{
	const struct cert_parts cert = {
		.issuer = { (const uint8_t *)issuer, ISSUER },
		.serial = { (const uint8_t *)serial, strlen(serial) },
	};

	return trust_revoked(trust, &cert);
}

static void only_what_the_issuer_revoked_is_revoked(void **state)
{
	struct trust trust;

	assert_int_equal(take(*state, &trust), ERR_OK);
	assert_true(revoked(&trust, "\x30\2\5\0", "\x12\x34"));
	assert_true(revoked(&trust, "\x30\2\5\0", "\7"));
	assert_false(revoked(&trust, "\x30\2\5\0", "\x12"));
	assert_false(revoked(&trust, "\x30\2\5\1", "\7"));
}

static void host_without_files_trusts_nobody(void **state)
{
	struct fixture *f = *state;
	struct trust trust;

	f->msg.ca = NULL;
	f->msg.n_revoked = 0;
	assert_int_equal(take(f, &trust), ERR_OK);
	assert_false(revoked(&trust, "\x30\2\5\0", "\7"));
}

static void spans_outside_of_the_area_are_refused(void **state)
{
	struct fixture *f = *state;
	struct trust trust;

	f->serial.at++;
	assert_int_equal(take(f, &trust), ERR_RANGE);
	f->serial.at = UINT64_MAX;
	assert_int_equal(take(f, &trust), ERR_RANGE);
	f->serial.at = ISSUER;
	f->issuer.len = UINT64_MAX;
	assert_int_equal(take(f, &trust), ERR_RANGE);
	f->issuer.len = ISSUER;
	f->ca.at = AREA;
	f->ca.len = 1;
	assert_int_equal(take(f, &trust), ERR_RANGE);
}

static void what_is_no_certificate_is_no_authority(void **state)
{
	struct fixture *f = *state;
	struct trust trust;

	f->ca.len = ISSUER;
	assert_int_equal(take(f, &trust), ERR_SYNTAX);
}

static void empty_area_is_an_area(void **state)
{
	struct trust_area area;
	int fd = memfd_create("area", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(trust_map(fd, &area), ERR_OK);
	assert_int_equal(area.len, 0);
	trust_unmap(&area);
	close(fd);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(only_what_the_issuer_revoked_is_revoked),
		CASE(host_without_files_trusts_nobody),
		CASE(spans_outside_of_the_area_are_refused),
		CASE(what_is_no_certificate_is_no_authority),
		cmocka_unit_test(empty_area_is_an_area),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
