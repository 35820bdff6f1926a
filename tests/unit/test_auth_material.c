/* test_auth_material.c - certificates and keys as they lie in files, whole or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/chain.h"
#include "auth/material.h"
#include "auth/privkey.h"
#include "base/clock.h"

enum { DAY = 24 * 60 * 60 };

struct rig {
	TALLOC_CTX *ctx;
	gnutls_x509_privkey_t key;
	struct keys_report report;
};

static int setup(void **state)
{
	struct rig *r = talloc_zero(NULL, struct rig);

	r->ctx = r;
	r->report.ctx = r;
	gnutls_x509_privkey_init(&r->key);
	assert_int_equal(
		gnutls_x509_privkey_generate(r->key, GNUTLS_PK_ECDSA,
					     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		0);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	gnutls_x509_privkey_deinit(r->key);
	talloc_free(r);
	return 0;
}

static gnutls_datum_t own(struct rig *r, gnutls_datum_t from)
{
	gnutls_datum_t out = { talloc_memdup(r, from.data, from.size), from.size };

	gnutls_free(from.data);
	return out;
}

/* PEM of a certificate that ends in END seconds. */
static gnutls_datum_t cert_of(struct rig *r, int64_t end)
{
	time_t now = (time_t)clock_unix();
	gnutls_x509_crt_t crt;
	gnutls_datum_t pem;

	gnutls_x509_crt_init(&crt);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, "\1", 1);
	gnutls_x509_crt_set_activation_time(crt, now - 9 * DAY);
	gnutls_x509_crt_set_expiration_time(crt, now + (time_t)end);
	gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, "a.test", 6);
	gnutls_x509_crt_set_key(crt, r->key);
	assert_int_equal(gnutls_x509_crt_sign2(crt, crt, r->key, GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), 0);
	gnutls_x509_crt_deinit(crt);
	return own(r, pem);
}

static gnutls_datum_t key_of(struct rig *r, const char *pin)
{
	gnutls_datum_t pem;

	assert_int_equal(gnutls_x509_privkey_export2_pkcs8(r->key, GNUTLS_X509_FMT_PEM, pin,
							   pin ? GNUTLS_PKCS_PBES2_AES_256 : 0,
							   &pem),
			 0);
	return own(r, pem);
}

static void a_file_that_breaks_off_is_no_chain(void **state)
{
	struct rig *r = *state;
	gnutls_datum_t one = cert_of(r, 60 * DAY), two;
	struct chain chain = { NULL, 0 };
	const char *why = "";

	two.size = 2 * one.size;
	two.data = talloc_size(r, two.size);
	memcpy(two.data, one.data, one.size);
	memcpy(two.data + one.size, one.data, one.size);
	assert_int_equal(chain_from_pem(&one, &chain, &why), ERR_OK);
	assert_int_equal(chain.n, 1);
	chain_free(&chain);
	for (unsigned cut = 2; cut < one.size - 30; cut += 40) {
		two.size = 2 * one.size - cut;
		assert_int_equal(chain_from_pem(&two, &chain, &why), ERR_CONF);
		assert_non_null(strstr(why, "breaks off"));
	}
	one.size = 0;
	assert_int_equal(chain_from_pem(&one, &chain, &why), ERR_CONF);
}

static void a_chain_goes_to_der_and_back(void **state)
{
	struct rig *r = *state;
	gnutls_datum_t pem = cert_of(r, 60 * DAY);
	struct chain chain, again;
	ProtobufCBinaryData *der;
	const char *why = "";
	uint8_t id[KEY_ID], id_again[KEY_ID];
	size_t n;

	assert_int_equal(chain_from_pem(&pem, &chain, &why), ERR_OK);
	assert_int_equal(chain_to_der(r, &chain, &der, &n), ERR_OK);
	assert_int_equal(chain_from_der(der, n, &again, &why), ERR_OK);
	assert_int_equal(chain_key_id(&chain, id), ERR_OK);
	assert_int_equal(chain_key_id(&again, id_again), ERR_OK);
	assert_memory_equal(id, id_again, KEY_ID);
	chain_free(&again);
	der[0].len--;
	assert_int_equal(chain_from_der(der, n, &again, &why), ERR_CONF);
	assert_int_equal(chain_from_der(der, 0, &again, &why), ERR_CONF);
	assert_int_equal(chain_from_der(der, CHAIN_MAX + 1, &again, &why), ERR_CONF);
	chain_free(&chain);
}

static void a_key_is_described(void **state)
{
	struct rig *r = *state;
	gnutls_datum_t pem = cert_of(r, 60 * DAY);
	const char *why = "";
	struct chain chain;
	ServerKey *key;

	assert_int_equal(chain_from_pem(&pem, &chain, &why), ERR_OK);
	key = chain_describe(r, &chain, "a.test");
	assert_string_equal(key->vhost, "a.test");
	assert_string_equal(key->algorithm, "ECDSA-P256");
	assert_int_equal(strlen(key->pin), strlen("pin-sha256:") + 44);
	assert_in_range(key->not_after, clock_unix() + 59 * DAY, clock_unix() + 61 * DAY);
	chain_free(&chain);
}

/* The only warning of a certificate that ends in END seconds, for VHOST; "": none. */
static const char *warning_of(struct rig *r, int64_t end, const char *vhost)
{
	gnutls_datum_t pem = cert_of(r, end);
	const char *why = "";
	struct chain chain;

	r->report.warning = (struct strv){ NULL, 0 };
	assert_int_equal(chain_from_pem(&pem, &chain, &why), ERR_OK);
	chain_look_over(&chain, "file", &r->report);
	chain_check_name(&chain, vhost, &r->report);
	chain_free(&chain);
	assert_in_range(r->report.warning.n, 0, 1);
	return r->report.warning.n ? r->report.warning.item[0] : "";
}

static void dates_and_names_are_looked_over(void **state)
{
	struct rig *r = *state;

	assert_string_equal(warning_of(r, 15 * DAY, "default"), "");
	assert_string_equal(warning_of(r, 14 * DAY - 60, "default"),
			    "the certificate 'file' expires in 13 days");
	assert_string_equal(warning_of(r, 60, "default"),
			    "the certificate 'file' expires in 0 days");
	assert_string_equal(warning_of(r, -60, "default"), "the certificate 'file' has expired");
	assert_string_equal(warning_of(r, 15 * DAY, "A.test"), "");
	assert_string_equal(warning_of(r, 15 * DAY, "b.test"),
			    "The DN certificate's name doesn't match for vhost b.test");
}

/* Why a key cannot be loaded with PIN; "": it can. */
static const char *fault_of(struct rig *r, const gnutls_datum_t *file, const char *pin)
{
	struct privkey_pins pins = { pin, NULL };
	struct privkey_asked asked = { &pins, false };
	struct privkey_fault fault = { NULL, false };
	gnutls_privkey_t priv;

	if (privkey_load(r, "file", file, &asked, &priv, &fault))
		return fault.text;
	gnutls_privkey_deinit(priv);
	return "";
}

static void faults_of_keys_are_told_apart(void **state)
{
	struct rig *r = *state;
	gnutls_datum_t plain = key_of(r, NULL), locked = key_of(r, "secret");

	assert_string_equal(fault_of(r, &plain, NULL), "");
	assert_string_equal(fault_of(r, &plain, "another key's"), "");
	assert_string_equal(fault_of(r, &locked, "secret"), "");
	assert_non_null(strstr(fault_of(r, &locked, "wrong"), "does not open it"));
	assert_non_null(strstr(fault_of(r, &locked, NULL), "it is encrypted"));
	locked.size -= 20;
	assert_non_null(strstr(fault_of(r, &locked, "secret"), "breaks off"));
}

static void keys_of_hardware_are_recognized(void **state)
{
	static char text[] = "-----BEGIN TSS2 PRIVATE KEY-----\nMAA=\n"
			     "-----END TSS2 PRIVATE KEY-----\n";
	struct rig *r = *state;
	gnutls_datum_t tpm = { (uint8_t *)text, sizeof text - 1 }, plain = key_of(r, NULL);

	assert_true(privkey_is_foreign("pkcs11:token=a", NULL));
	assert_true(privkey_is_foreign("tpmkey:file=a", NULL));
	assert_true(privkey_is_foreign("file", &tpm));
	assert_false(privkey_is_foreign("file", &plain));
	assert_false(privkey_is_foreign("/etc/pkcs11:a", NULL));
	assert_non_null(strstr(fault_of(r, &tpm, NULL), "without TPM support"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_that_breaks_off_is_no_chain, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_chain_goes_to_der_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_is_described, setup, teardown),
		cmocka_unit_test_setup_teardown(dates_and_names_are_looked_over, setup, teardown),
		cmocka_unit_test_setup_teardown(faults_of_keys_are_told_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_of_hardware_are_recognized, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
