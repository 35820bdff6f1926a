/* dtls_suite.h - which kind of DTLS a tunnel gets, and with which cipher.
 * Pure, independent of the TLS library; used by the worker.  protocol.md 6.1, 6.4. */
#ifndef WIRE_DTLS_SUITE_H
#define WIRE_DTLS_SUITE_H

#include <stdbool.h>
#include <stdint.h>

enum suite_version { SUITE_DTLS_0_9, SUITE_DTLS_1_2 };

enum suite_cipher {
	SUITE_CIPHER_UNKNOWN,
	SUITE_AES_128_CBC,
	SUITE_AES_256_CBC,
	SUITE_3DES_CBC,
	SUITE_AES_128_GCM,
	SUITE_AES_256_GCM,
	SUITE_AES_128_CCM,
	SUITE_AES_256_CCM,
	SUITE_AES_CCM_8,
	SUITE_CHACHA20_POLY1305,
};

enum suite_mac { SUITE_AEAD, SUITE_SHA1, SUITE_SHA256, SUITE_SHA384 };
enum suite_kx { SUITE_RSA, SUITE_ECDHE_RSA, SUITE_PSK };

enum dtls_mode { DTLS_NONE, DTLS_PSK, DTLS_LEGACY };

/* What the server permits and knows about the TLS session of this tunnel. */
struct dtls_policy {
	bool udp;     /* the vhost has a UDP port and the user may use it */
	bool psk;     /* option dtls-psk */
	bool legacy;  /* option dtls-legacy */
	bool own_tls; /* the TLS session is ours, so it has an exporter (not behind a proxy) */
	bool match;   /* option match-tls-dtls-ciphers: PSK uses the TLS session's cipher */
	bool only_tls_cipher; /* IP phones: legacy mode only with the TLS session's cipher */
	bool allow_3des;      /* off by default */
	enum suite_cipher tls_cipher; /* of the TLS session */
	enum suite_mac tls_mac;
};

/* The client's side, of struct cstp_request. */
struct dtls_offer {
	const char *ciphers;   /* X-DTLS-CipherSuite, NULL absent */
	const char *ciphers12; /* X-DTLS12-CipherSuite, NULL absent */
	bool has_master_secret;
	bool fips; /* no ChaCha20, no 3DES */
};

/* In mode PSK with `match`, cipher and mac are the TLS session's; without it they are open
 * (SUITE_CIPHER_UNKNOWN). */
struct dtls_choice {
	enum dtls_mode mode;
	const char *header; /* "X-DTLS-CipherSuite" or "X-DTLS12-CipherSuite"; static */
	const char *name;   /* value of that header; static */
	enum suite_version version;
	enum suite_cipher cipher;
	enum suite_mac mac; /* of the records */
	bool prf_sha384;    /* ECDHE names with SHA384 need it in the priority string */
	enum suite_kx kx;
	uint16_t suite; /* TLS number; 0 for PSK */
};

/* PSK before DTLS 1.2 names before the old ones; in a list the TLS session's cipher first, then the
 * priorities of protocol.md 6.4. */
struct dtls_choice dtls_choose(const struct dtls_policy *policy, const struct dtls_offer *offer);

#endif /* WIRE_DTLS_SUITE_H */
