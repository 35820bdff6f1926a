/* cstp_req.c - the CONNECT request's headers. */
#include "wire/cstp_req.h"

#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/secret.h"
#include "base/str.h"

static bool is_label_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-' || c == '_';
}

void cstp_hostname_parse(const char *name, char out[CSTP_HOSTNAME])
{
	size_t label = strcspn(name, ".");
	struct addr addr;

	out[0] = '\0';
	if (label == 0 || label >= CSTP_HOSTNAME || addr_parse(name, &addr) == ERR_OK)
		return;
	for (const char *c = name; *c; c++)
		if (!is_label_char(*c) && *c != '.')
			return;
	if (name[0] == '-' || name[label - 1] == '-')
		return;
	memcpy(out, name, label);
	out[label] = '\0';
}

static uint32_t get_number(const struct http_request *req, const char *name)
{
	const char *text = http_header(req, name);
	uint64_t v;

	return text && str_to_u64(text, UINT32_MAX, &v) == ERR_OK ? (uint32_t)v : 0;
}

static bool header_is(const struct http_request *req, const char *name, const char *value)
{
	const char *text = http_header(req, name);

	return text && strcasecmp(text, value) == 0;
}

static void parse_families(const struct http_request *req, struct cstp_request *r)
{
	const char *types = http_header(req, "X-CSTP-Address-Type");

	r->want_v4 = types && strcasestr(types, "IPv4");
	r->want_v6 = types && strcasestr(types, "IPv6");
	if (!r->want_v4 && !r->want_v6)
		r->want_v4 = r->want_v6 = true;
}

static void parse_dtls(const struct http_request *req, struct cstp_request *r)
{
	const char *secret = http_header(req, "X-DTLS-Master-Secret");

	r->dtls = (struct dtls_offer){
		.ciphers = http_header(req, "X-DTLS-CipherSuite"),
		.ciphers12 = http_header(req, "X-DTLS12-CipherSuite"),
		.fips = header_is(req, "X-CSTP-FIPS-Mode", "enabled"),
	};
	r->dtls.has_master_secret =
		secret && hex_decode(secret, r->master_secret, DTLS_MASTER_SECRET) == ERR_OK;
	r->dtls_encodings = cstp_encodings_parse(http_header(req, "X-DTLS-Accept-Encoding"));
}

enum err cstp_request_parse(TALLOC_CTX *ctx, const struct http_request *req,
			    struct cstp_request **out)
{
	struct cstp_request *r = talloc_zero(ctx, struct cstp_request);
	const char *hostname;

	if (!r)
		return ERR_NOMEM;
	secret_mark(r);
	r->base_mtu = get_number(req, "X-CSTP-Base-MTU");
	r->mtu = get_number(req, "X-CSTP-MTU");
	r->full_ipv6 = header_is(req, "X-CSTP-Full-IPv6-Capability", "true");
	r->mobile = header_is(req, "X-CSTP-License", "mobile");
	r->cstp_encodings = cstp_encodings_parse(http_header(req, "X-CSTP-Accept-Encoding"));
	hostname = http_header(req, "X-CSTP-Hostname");
	if (hostname)
		cstp_hostname_parse(hostname, r->hostname);
	parse_families(req, r);
	parse_dtls(req, r);
	*out = r;
	return ERR_OK;
}
