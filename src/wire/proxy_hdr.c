/* proxy_hdr.c - PROXY protocol headers. */
#include "wire/proxy_hdr.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/str.h"

enum {
	V2_FIXED = 16, /* signature, version and command, family, length */
	V2_REST_MAX = PROXY_MAX - V2_FIXED,
	TLV_HEADER = 3,
	TLV_CRC32C = 0x03,
	TLV_UNIQUE_ID = 0x05,
	TLV_SSL = 0x20,
	TLV_SSL_CN = 0x22,
	SSL_CERT_SHOWN = 2 | 4, /* on this connection, in this session */
};

static const uint8_t signature[12] = "\r\n\r\n\0\r\nQUIT\n";

/* One SSL TLV: flags, verify result, then TLVs of its own. */
static enum err parse_ssl(const uint8_t *p, size_t len, struct proxy_hdr *h)
{
	static const uint8_t verified[4];

	if (len < 5)
		return ERR_SYNTAX;
	h->has_ssl = true;
	h->ssl_verified = (p[0] & SSL_CERT_SHOWN) && memcmp(p + 1, verified, 4) == 0;
	for (size_t i = 5; i < len;) {
		if (len - i < TLV_HEADER || len - i - TLV_HEADER < get_be16(p + i + 1))
			return ERR_SYNTAX;
		size_t n = get_be16(p + i + 1);
		const uint8_t *value = p + i + TLV_HEADER;
		if (p[i] == TLV_SSL_CN && n < sizeof h->ssl_cn && !memchr(value, 0, n)) {
			memcpy(h->ssl_cn, value, n);
			h->ssl_cn[n] = '\0';
		}
		i += TLV_HEADER + n;
	}
	return ERR_OK;
}

/* CRC-32C (RFC 3720 B.4) of the header's LEN bytes, as if the four at HOLE were zero. */
static uint32_t checksum(const uint8_t *data, size_t len, const uint8_t *hole)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		if (data + i < hole || data + i >= hole + 4)
			crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

/* A header: the whole of it, for the checksum, and what it says. */
struct v2 {
	const uint8_t *data;
	size_t len;
	struct proxy_hdr *out;
};

static enum err parse_tlv(const struct v2 *v, uint8_t type, const uint8_t *value, size_t n)
{
	switch (type) {
	case TLV_CRC32C:
		return n == 4 && checksum(v->data, v->len, value) == get_be32(value) ? ERR_OK
										     : ERR_SYNTAX;
	case TLV_UNIQUE_ID:
		if (n <= PROXY_ID_MAX && !memchr(value, 0, n)) {
			memcpy(v->out->unique_id, value, n);
			v->out->unique_id[n] = '\0';
		}
		return ERR_OK;
	case TLV_SSL:
		return parse_ssl(value, n, v->out);
	default:
		return ERR_OK;
	}
}

static enum err parse_tlvs(const struct v2 *v, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len;) {
		if (len - i < TLV_HEADER || len - i - TLV_HEADER < get_be16(p + i + 1))
			return ERR_SYNTAX;
		size_t n = get_be16(p + i + 1);
		if (parse_tlv(v, p[i], p + i + TLV_HEADER, n))
			return ERR_SYNTAX;
		i += TLV_HEADER + n;
	}
	return ERR_OK;
}

/* A dual-stack proxy writes IPv4 clients as ::ffff:a.b.c.d; all of them share one IPv6 /64. */
static void unmap(struct addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct addr v4 = { .family = AF_INET };

	if (a->family != AF_INET6 || memcmp(a->bytes, mapped, sizeof mapped) != 0)
		return;
	memcpy(v4.bytes, a->bytes + sizeof mapped, 4);
	*a = v4;
}

static void take_addrs(struct proxy_hdr *h)
{
	h->has_addrs = true;
	unmap(&h->src.addr);
	unmap(&h->dst.addr);
}

/* Source, destination, source port, destination port of ADDR_BYTES each address. */
static void read_addrs(const uint8_t *p, uint8_t family, size_t addr_bytes, struct proxy_hdr *h)
{
	h->src.addr.family = h->dst.addr.family = family;
	memcpy(h->src.addr.bytes, p, addr_bytes);
	memcpy(h->dst.addr.bytes, p + addr_bytes, addr_bytes);
	h->src.port = get_be16(p + 2 * addr_bytes);
	h->dst.port = get_be16(p + 2 * addr_bytes + 2);
	take_addrs(h);
}

/* What is behind the fixed part of a PROXY command. */
static enum err parse_v2_rest(const struct v2 *v)
{
	const uint8_t *rest = v->data + V2_FIXED;
	size_t len = v->len - V2_FIXED;
	uint8_t family = v->data[13];
	size_t addrs = family >> 4 == 1 ? 12 : family >> 4 == 2 ? 36 : family >> 4 == 3 ? 216 : 0;

	if (len < addrs)
		return ERR_SYNTAX;
	if (family == 0x11)
		read_addrs(rest, AF_INET, 4, v->out);
	else if (family == 0x21)
		read_addrs(rest, AF_INET6, 16, v->out);
	return addrs ? parse_tlvs(v, rest + addrs, len - addrs) : ERR_OK;
}

static enum err parse_v2(const uint8_t *data, size_t len, struct proxy_hdr *h)
{
	struct v2 v = { data, 0, h };
	size_t rest;

	if (len < V2_FIXED)
		return ERR_AGAIN;
	rest = get_be16(data + 14);
	if (data[12] != 0x20 && data[12] != 0x21)
		return ERR_SYNTAX;
	if (rest > V2_REST_MAX)
		return ERR_TOO_LONG;
	if (len < V2_FIXED + rest)
		return ERR_AGAIN;
	v.len = h->len = V2_FIXED + rest;
	/* LOCAL: the proxy checks our health */
	return data[12] == 0x20 ? ERR_OK : parse_v2_rest(&v);
}

static enum err parse_port(const char *text, uint16_t *port)
{
	uint64_t v;

	if (str_to_u64(text, UINT16_MAX, &v))
		return ERR_SYNTAX;
	*port = (uint16_t)v;
	return ERR_OK;
}

/* LINE without CRLF, NUL-terminated: "PROXY TCP4 src dst sport dport". */
static enum err parse_v1_line(char *line, struct proxy_hdr *h)
{
	char *field[6], *save = NULL;
	uint8_t family;

	for (size_t i = 0; i < 6; i++) {
		field[i] = strtok_r(i ? NULL : line, " ", &save);
		if (i == 1 && field[1] && strcmp(field[1], "UNKNOWN") == 0)
			return ERR_OK;
		if (!field[i])
			return ERR_SYNTAX;
	}
	if (strtok_r(NULL, " ", &save))
		return ERR_SYNTAX;
	family = strcmp(field[1], "TCP4") == 0	 ? AF_INET
		 : strcmp(field[1], "TCP6") == 0 ? AF_INET6
						 : 0;
	if (!family || addr_parse(field[2], &h->src.addr) || addr_parse(field[3], &h->dst.addr) ||
	    h->src.addr.family != family || h->dst.addr.family != family ||
	    parse_port(field[4], &h->src.port) || parse_port(field[5], &h->dst.port))
		return ERR_SYNTAX;
	take_addrs(h);
	return ERR_OK;
}

static enum err parse_v1(const uint8_t *data, size_t len, struct proxy_hdr *h)
{
	size_t look = len < PROXY_V1_MAX ? len : PROXY_V1_MAX;
	const uint8_t *lf = memchr(data, '\n', look);
	char line[PROXY_V1_MAX + 1];
	size_t n;

	if (!lf)
		return len < PROXY_V1_MAX ? ERR_AGAIN : ERR_TOO_LONG;
	n = (size_t)(lf - data);
	if (n == 0 || data[n - 1] != '\r' || memchr(data, 0, n))
		return ERR_SYNTAX;
	memcpy(line, data, n - 1);
	line[n - 1] = '\0';
	h->len = n + 1;
	return parse_v1_line(line, h);
}

/* Whether DATA begins with WANTED, as far as it goes. */
static bool may_be(const uint8_t *data, size_t len, const void *wanted, size_t n)
{
	return memcmp(data, wanted, len < n ? len : n) == 0;
}

enum err proxy_hdr_parse(const uint8_t *data, size_t len, struct proxy_hdr *out)
{
	static const char word[] = "PROXY ";
	struct proxy_hdr h = { 0 };
	enum err err;

	if (len == 0)
		return ERR_AGAIN;
	if (may_be(data, len, signature, sizeof signature))
		err = parse_v2(data, len, &h);
	else if (may_be(data, len, word, sizeof word - 1))
		err = parse_v1(data, len, &h);
	else
		err = ERR_SYNTAX;
	if (!err)
		*out = h;
	return err;
}
