/* proxy_hdr.c - PROXY protocol headers. */
#include "wire/proxy_hdr.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum {
	V2_FIXED = 16, /* signature, version and command, family, length */
	V2_REST_MAX = PROXY_MAX - V2_FIXED,
	TLV_HEADER = 3,
	TLV_SSL = 0x20,
	TLV_SSL_CN = 0x22,
	SSL_CERT_SHOWN = 2 | 4, /* on this connection, in this session */
};

static const uint8_t signature[12] = "\r\n\r\n\0\r\nQUIT\n";

static unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* One SSL TLV: flags, verify result, then TLVs of its own. */
static enum err parse_ssl(const uint8_t *p, size_t len, struct proxy_hdr *h)
{
	static const uint8_t verified[4];

	if (len < 5)
		return ERR_SYNTAX;
	h->has_ssl = true;
	h->ssl_verified = (p[0] & SSL_CERT_SHOWN) && memcmp(p + 1, verified, 4) == 0;
	for (size_t i = 5; i < len;) {
		if (len - i < TLV_HEADER || len - i - TLV_HEADER < get16(p + i + 1))
			return ERR_SYNTAX;
		size_t n = get16(p + i + 1);
		const uint8_t *value = p + i + TLV_HEADER;
		if (p[i] == TLV_SSL_CN && n < sizeof h->ssl_cn && !memchr(value, 0, n)) {
			memcpy(h->ssl_cn, value, n);
			h->ssl_cn[n] = '\0';
		}
		i += TLV_HEADER + n;
	}
	return ERR_OK;
}

static enum err parse_tlvs(const uint8_t *p, size_t len, struct proxy_hdr *h)
{
	for (size_t i = 0; i < len;) {
		if (len - i < TLV_HEADER || len - i - TLV_HEADER < get16(p + i + 1))
			return ERR_SYNTAX;
		size_t n = get16(p + i + 1);
		if (p[i] == TLV_SSL && parse_ssl(p + i + TLV_HEADER, n, h))
			return ERR_SYNTAX;
		i += TLV_HEADER + n;
	}
	return ERR_OK;
}

/* Source, destination, source port, destination port of ADDR_BYTES each address. */
static void read_addrs(const uint8_t *p, uint8_t family, size_t addr_bytes, struct proxy_hdr *h)
{
	h->has_addrs = true;
	h->src.addr.family = h->dst.addr.family = family;
	memcpy(h->src.addr.bytes, p, addr_bytes);
	memcpy(h->dst.addr.bytes, p + addr_bytes, addr_bytes);
	h->src.port = (uint16_t)get16(p + 2 * addr_bytes);
	h->dst.port = (uint16_t)get16(p + 2 * addr_bytes + 2);
}

/* The REST of LEN bytes behind the fixed part of a PROXY command. */
static enum err parse_v2_rest(uint8_t family, const uint8_t *rest, size_t len, struct proxy_hdr *h)
{
	size_t addrs = family >> 4 == 1 ? 12 : family >> 4 == 2 ? 36 : family >> 4 == 3 ? 216 : 0;

	if (len < addrs)
		return ERR_SYNTAX;
	if (family == 0x11)
		read_addrs(rest, AF_INET, 4, h);
	else if (family == 0x21)
		read_addrs(rest, AF_INET6, 16, h);
	return addrs ? parse_tlvs(rest + addrs, len - addrs, h) : ERR_OK;
}

static enum err parse_v2(const uint8_t *data, size_t len, struct proxy_hdr *h)
{
	size_t rest = get16(data + 14);

	if (data[12] != 0x20 && data[12] != 0x21)
		return ERR_SYNTAX;
	if (rest > V2_REST_MAX)
		return ERR_TOO_LONG;
	if (len < V2_FIXED + rest)
		return ERR_AGAIN;
	h->len = V2_FIXED + rest;
	/* LOCAL: the proxy checks our health */
	return data[12] == 0x20 ? ERR_OK : parse_v2_rest(data[13], data + V2_FIXED, rest, h);
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
	h->has_addrs = true;
	return ERR_OK;
}

static enum err parse_v1(const uint8_t *data, size_t len, struct proxy_hdr *h)
{
	size_t look = len < PROXY_V1_MAX ? len : PROXY_V1_MAX;
	const uint8_t *lf = memchr(data, '\n', look);
	char line[PROXY_V1_MAX + 1];
	size_t n;

	if (memcmp(data, "PROXY ", 6) != 0)
		return ERR_SYNTAX;
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

enum err proxy_hdr_parse(const uint8_t *data, size_t len, struct proxy_hdr *out)
{
	struct proxy_hdr h = { 0 };
	enum err err;

	if (len < PROXY_MIN)
		return ERR_AGAIN;
	if (memcmp(data, signature, sizeof signature) == 0)
		err = parse_v2(data, len, &h);
	else
		err = parse_v1(data, len, &h);
	if (!err)
		*out = h;
	return err;
}
