/* dtls_suite.c - the choice of DTLS mode and cipher. */
#include "wire/dtls_suite.h"

#include <stddef.h>
#include <string.h>

static const char header_old[] = "X-DTLS-CipherSuite";
static const char header_12[] = "X-DTLS12-CipherSuite";
static const char psk_name[] = "PSK-NEGOTIATE";

struct suite {
	const char *header, *name;
	enum suite_version version;
	enum suite_cipher cipher;
	enum suite_mac mac;
	enum suite_kx kx;
	bool prf_sha384;
	uint16_t suite;
};

#define GCM(bits)   SUITE_DTLS_1_2, SUITE_AES_##bits##_GCM, SUITE_AEAD
#define CBC(cipher) SUITE_DTLS_0_9, cipher, SUITE_SHA1

/* protocol.md 6.4: the DTLS 1.2 header family before the old one, each by falling priority. */
static const struct suite suites[] = {
	{ header_12, "AES256-GCM-SHA384", GCM(256), SUITE_RSA, true, 0x009d },
	{ header_12, "ECDHE-RSA-AES256-GCM-SHA384", GCM(256), SUITE_ECDHE_RSA, true, 0xc030 },
	{ header_12, "ECDHE-RSA-AES128-GCM-SHA256", GCM(128), SUITE_ECDHE_RSA, false, 0xc02f },
	{ header_12, "AES128-GCM-SHA256", GCM(128), SUITE_RSA, false, 0x009c },
	{ header_old, "OC-DTLS1_2-AES256-GCM", GCM(256), SUITE_RSA, true, 0x009d },
	{ header_old, "OC-DTLS1_2-AES128-GCM", GCM(128), SUITE_RSA, false, 0x009c },
	{ header_old, "AES256-SHA", CBC(SUITE_AES_256_CBC), SUITE_RSA, false, 0x0035 },
	{ header_old, "AES128-SHA", CBC(SUITE_AES_128_CBC), SUITE_RSA, false, 0x002f },
	{ header_old, "DES-CBC3-SHA", CBC(SUITE_3DES_CBC), SUITE_RSA, false, 0x000a },
};

/* NAME is a member of the colon-separated LIST (NULL: empty). */
static bool list_has(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (list && *list) {
		size_t n = strcspn(list, ":");
		if (n == len && strncmp(list, name, len) == 0)
			return true;
		list += n;
		list += *list == ':';
	}
	return false;
}

static bool is_usable(const struct suite *s, const struct dtls_policy *policy,
		      const struct dtls_offer *offer)
{
	if (s->cipher == SUITE_3DES_CBC && (offer->fips || !policy->allow_3des))
		return false;
	if (policy->only_tls_cipher && s->cipher != policy->tls_cipher)
		return false;
	return list_has(s->header == header_12 ? offer->ciphers12 : offer->ciphers, s->name);
}

/* Within one header family the cipher of the TLS session wins, then the first row. */
static const struct suite *choose_legacy(const struct dtls_policy *policy,
					 const struct dtls_offer *offer)
{
	const struct suite *best = NULL;

	for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
		const struct suite *s = &suites[i];
		if (!is_usable(s, policy, offer))
			continue;
		if (best && s->header != best->header)
			break;
		if (s->cipher == policy->tls_cipher)
			return s;
		if (!best)
			best = s;
	}
	return best;
}

static struct dtls_choice psk_choice(const struct dtls_policy *policy)
{
	struct dtls_choice c = {
		.mode = DTLS_PSK,
		.header = header_old,
		.name = psk_name,
		.version = SUITE_DTLS_1_2,
		.kx = SUITE_PSK,
	};

	if (policy->match) {
		c.cipher = policy->tls_cipher;
		c.mac = policy->tls_mac;
	}
	return c;
}

struct dtls_choice dtls_choose(const struct dtls_policy *policy, const struct dtls_offer *offer)
{
	struct dtls_choice none = { .mode = DTLS_NONE };
	const struct suite *s;

	if (!policy->udp)
		return none;
	if (policy->psk && policy->own_tls && list_has(offer->ciphers, psk_name))
		return psk_choice(policy);
	if (!policy->legacy || !offer->has_master_secret)
		return none;
	s = choose_legacy(policy, offer);
	if (!s)
		return none;
	return (struct dtls_choice){
		.mode = DTLS_LEGACY,
		.header = s->header,
		.name = s->name,
		.version = s->version,
		.cipher = s->cipher,
		.mac = s->mac,
		.prf_sha384 = s->prf_sha384,
		.kx = s->kx,
		.suite = s->suite,
	};
}
