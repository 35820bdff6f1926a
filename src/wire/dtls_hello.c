/* dtls_hello.c - the ClientHello of a first datagram.
 *
 *	off  0 type  1 version  3 epoch  5 sequence  11 length          record header, 13 bytes
 *	    13 type 14 length  17 message_seq  19 fragment offset  22 fragment length
 *	    25 client_version  27 random  59 session_id<0..32>  cookie  suites  compressions
 *extensions
 */
#include "wire/dtls_hello.h"

#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"

enum {
	OFF_BODY = 25, /* after record and handshake headers */
	OFF_RANDOM = 27,
	OFF_ID = 59,
	RANDOM_LEN = 32,
	EXT_APP_ID = 48018, /* old openconnect, protocol.md 6.2 */
};

static unsigned get24(const uint8_t *p)
{
	return (unsigned)p[0] << 16 | get_be16(p + 1);
}

static bool is_dtls_version(const uint8_t *p)
{
	return p[0] == 0xfe || (p[0] == 1 && p[1] == 0);
}

bool dtls_is_record(const uint8_t *data, size_t len)
{
	return len > DTLS_RECORD_HEADER && data[0] >= 20 && data[0] <= 24 &&
	       is_dtls_version(data + 1) && get_be16(data + 11) <= len - DTLS_RECORD_HEADER;
}

bool dtls_is_handshake(const uint8_t *data, size_t len)
{
	return len >= OFF_BODY && data[0] == 22 && is_dtls_version(data + 1);
}

/* A cursor over the rest of the hello. */
struct cursor {
	const uint8_t *p;
	size_t left;
};

/* Steps over a vector whose length takes LEN_BYTES, giving it in *V. */
static bool take_vector(struct cursor *c, unsigned len_bytes, struct cursor *v)
{
	size_t n;

	if (c->left < len_bytes)
		return false;
	n = len_bytes == 1 ? c->p[0] : get_be16(c->p);
	c->p += len_bytes;
	c->left -= len_bytes;
	if (c->left < n)
		return false;
	*v = (struct cursor){ c->p, n };
	c->p += n;
	c->left -= n;
	return true;
}

/* Finds the App-ID extension behind the session id; its body is opaque<1..255>. */
static bool find_app_id(struct cursor c, struct cursor *id)
{
	struct cursor v, ext;

	if (!take_vector(&c, 1, &v) || !take_vector(&c, 2, &v) || !take_vector(&c, 1, &v) ||
	    !take_vector(&c, 2, &ext))
		return false;
	while (ext.left >= 4) {
		unsigned type = get_be16(ext.p);
		ext.p += 2;
		ext.left -= 2;
		if (!take_vector(&ext, 2, &v))
			return false;
		if (type == EXT_APP_ID)
			return take_vector(&v, 1, id);
	}
	return false;
}

/* The headers in front of the hello: epoch 0, one unfragmented start of a ClientHello. */
static bool check_headers(const uint8_t *data, size_t len)
{
	size_t record = get_be16(data + 11), fragment = get24(data + 22);

	return get_be16(data + 3) == 0 && data[13] == 1 && get24(data + 19) == 0 &&
	       record <= len - DTLS_RECORD_HEADER && fragment + 12 <= record &&
	       fragment <= get24(data + 14);
}

enum err dtls_hello_parse(const uint8_t *data, size_t len, bool allow_zero_random,
			  struct dtls_hello *out)
{
	static const uint8_t zero[RANDOM_LEN];
	struct cursor c, id;

	if (!dtls_is_handshake(data, len) || !check_headers(data, len))
		return ERR_SYNTAX;
	c = (struct cursor){ data + OFF_BODY, get24(data + 22) };
	if (c.left <= OFF_ID - OFF_BODY)
		return ERR_SYNTAX;
	c.p += OFF_ID - OFF_BODY;
	c.left -= OFF_ID - OFF_BODY;
	if (!take_vector(&c, 1, &id) || (!id.left && !find_app_id(c, &id)))
		return ERR_SYNTAX;
	if (!id.left || id.left > DTLS_HELLO_ID)
		return ERR_SYNTAX;
	if (!allow_zero_random && secret_equal(data + OFF_RANDOM, zero, RANDOM_LEN))
		return ERR_DENIED;
	*out = (struct dtls_hello){
		.id_len = id.left,
		.record_version = get_be16(data + 1),
		.message_seq = get_be16(data + 17),
	};
	memcpy(out->id, id.p, id.left);
	return ERR_OK;
}
