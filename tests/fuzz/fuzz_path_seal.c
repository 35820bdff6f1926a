/* fuzz_path_seal.c - whatever arrives instead of sealed records: nothing is delivered that was not
 * sealed, what is for GnuTLS stays as it was, and a genuine record opens afterwards.  The first
 * byte chooses the session (bits 0-3) and what is done with the rest:
 *	bit 4, 5 clear	it is a datagram or a piece of a stream
 *	bit 4		it is laid (XOR) over a genuine record
 *	bit 5		it is the inside of an authentic TLS 1.3 record */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/seal_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SESSIONS = 9, GENUINE = 200 };

static void must(bool ok)
{
	if (!ok)
		abort();
}

static struct seal_rig *session(unsigned i)
{
	static const char *const versions[] = { "DTLS1.2", "TLS1.2", "TLS1.3" };
	static const char *const ciphers[] = { "AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305" };
	static struct seal_rig *all[SESSIONS];
	if (!all[i]) {
		all[i] = seal_rig_new(versions[i % 3], ciphers[i / 3], "");
		must(seal_end_take(&all[i]->server) && seal_end_take(&all[i]->client));
	}
	return all[i];
}

/* Opens all records in BUF; returns whether any was data.  They are none of the client's. */
static bool open_all(struct seal *s, uint8_t *buf, size_t size)
{
	static uint8_t before[SEAL_RIG_RECORD];
	bool any = false;
	size_t n, len;
	uint8_t *text;
	while ((n = seal_record(s, buf, size))) {
		must(n <= size);
		memcpy(before, buf, n);
		enum seal_verdict v = seal_open(s, buf, n, &text, &len);
		any |= v == SEAL_DATA;
		if (v == SEAL_OTHER)
			must(memcmp(before, buf, n) == 0);
		buf += n;
		size -= n;
	}
	return any;
}

/* What the client seals next; to be opened by the server once. */
static size_t genuine(struct seal_rig *r, uint8_t *rec)
{
	static const uint8_t text[GENUINE] = { 1, 2, 3 };
	size_t n = seal_write(r->client.seal, text, GENUINE, rec);
	must(n > 0);
	return n;
}

static void genuine_opens(struct seal_rig *r, uint8_t *rec, size_t n)
{
	uint8_t *text;
	size_t len;
	must(seal_open(r->server.seal, rec, n, &text, &len) == SEAL_DATA && len == GENUINE);
}

static void damage(struct seal_rig *r, const uint8_t *data, size_t size)
{
	uint8_t rec[GENUINE + 100], bad[GENUINE + 100];
	size_t n = genuine(r, rec);
	bool changed = false;
	memcpy(bad, rec, n);
	for (size_t i = 0; i < size && i < n; i++) {
		bad[i] ^= data[i];
		changed |= data[i] != 0;
	}
	if (changed)
		must(!open_all(r->server.seal, bad, n));
	genuine_opens(r, rec, n);
}

/* The numbers must stay together, so the same key seals another record under the same number; only
 * a test may. */
static void inside(struct seal_rig *r, const uint8_t *data, size_t size)
{
	static uint8_t rec[SEAL_RIG_RECORD];
	uint8_t *text;
	size_t len, n = size;
	if (size == 0 || size > 16384 || gnutls_protocol_get_version(r->client.s) != GNUTLS_TLS1_3)
		return;
	seal_lend(r->client.seal);
	size_t whole = seal_rig_craft(&r->client, data, size, rec);
	must(seal_return(r->client.seal) == ERR_OK);
	while (n && data[n - 1] == 0)
		n--;
	enum seal_verdict v = seal_open(r->server.seal, rec, whole, &text, &len);
	must(v == (n && data[n - 1] == 23 ? SEAL_DATA : SEAL_OTHER));
	if (v == SEAL_OTHER)
		return;
	must(len == n - 1 && memcmp(text, data, len) == 0);
	(void)genuine(r, rec); /* the number that is used up */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buf[SEAL_RIG_RECORD];
	if (size < 1 || size > sizeof buf)
		return 0;
	struct seal_rig *r = session((data[0] & 15) % SESSIONS);
	unsigned how = data[0] >> 4 & 3;
	memcpy(buf, data + 1, size - 1);
	if (how == 0)
		must(!open_all(r->server.seal, buf, size - 1));
	else if (how == 1)
		damage(r, data + 1, size - 1);
	else
		inside(r, data + 1, size - 1);
	size_t n = genuine(r, buf);
	genuine_opens(r, buf, n);
	return 0;
}
