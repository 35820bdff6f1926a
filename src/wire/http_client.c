/* http_client.c - client class, cookies and identifying headers of a request. */
#include "wire/http_client.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "base/str.h"

#define OPENCONNECT_V "Open AnyConnect VPN Agent v"

struct agent_row {
	const char *prefix;
	struct client_agent agent;
};

/* protocol.md 3.3: the first prefix that matches wins; longer ones stand before shorter ones. */
static const struct agent_row agents[] = {
	{ OPENCONNECT_V, { .class = CLIENT_OPENCONNECT } },
	{ "AnyConnect-compatible OpenConnect", { .class = CLIENT_OPENCONNECT } },
	{ "OpenConnect VPN Agent", { .class = CLIENT_OPENCONNECT } },
	{ "Cisco AnyConnect VPN Agent for Apple", { .class = CLIENT_ANYCONNECT, .ios = true } },
	{ "Cisco AnyConnect", { .class = CLIENT_ANYCONNECT } },
	{ "AnyConnect", { .class = CLIENT_ANYCONNECT } },
	{ "Clavister OneConnect VPN", { .class = CLIENT_OPENCONNECT } },
	{ "AnyLink Secure Client", { .class = CLIENT_OPENCONNECT } },
	{ "Cisco SVC IPPhone Client", { .class = CLIENT_IPPHONE } },
	{ "Mozilla/", { .class = CLIENT_UNKNOWN, .browser = true } },
};

/* The version after OPENCONNECT_V is 3 or less; "v10" is not. */
static bool is_ocv3(const char *version)
{
	return *version >= '0' && *version <= '3' && !(version[1] >= '0' && version[1] <= '9');
}

struct client_agent client_agent_parse(const char *user_agent)
{
	struct client_agent agent = { .class = CLIENT_UNKNOWN };

	if (!user_agent)
		return agent;
	for (size_t i = 0; i < sizeof agents / sizeof *agents; i++) {
		if (!str_starts_nocase(user_agent, agents[i].prefix))
			continue;
		agent = agents[i].agent;
		if (i == 0 && is_ocv3(user_agent + strlen(OPENCONNECT_V)))
			agent.class = CLIENT_OCV3;
		break;
	}
	return agent;
}

enum err cookie_decode(const char *value, size_t len, uint8_t out[COOKIE_LEN])
{
	size_t decoded;

	/* the encoded length decides before a byte is decoded (protocol.md 10.1) */
	if (len != COOKIE_TEXT - 1)
		return ERR_SYNTAX;
	if (base64_decode(value, len, out, COOKIE_LEN, &decoded) || decoded != COOKIE_LEN)
		return ERR_SYNTAX;
	return ERR_OK;
}

/* Sets *HAS when TEXT[0..LEN) is "NAME=<good value>". */
static void take_cookie(const char *text, size_t len, const char *name, uint8_t out[COOKIE_LEN],
			bool *has)
{
	size_t name_len = strlen(name);
	uint8_t value[COOKIE_LEN];

	if (len <= name_len || text[name_len] != '=' || memcmp(text, name, name_len) != 0)
		return;
	if (cookie_decode(text + name_len + 1, len - name_len - 1, value) == ERR_OK) {
		memcpy(out, value, COOKIE_LEN);
		*has = true;
	}
	secret_wipe(value, sizeof value);
}

static void parse_cookies(const char *text, struct http_client *c)
{
	while (*text) {
		text += strspn(text, "; \t");
		size_t n = strcspn(text, ";"), len = n;
		while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
			len--;
		take_cookie(text, len, "webvpn", c->ticket, &c->has_ticket);
		take_cookie(text, len, "webvpncontext", c->context, &c->has_context);
		text += n;
	}
}

static void copy_header(const struct http_request *req, const char *name, char out[CLIENT_TEXT])
{
	const char *value = http_header(req, name);

	if (value)
		str_copy(out, CLIENT_TEXT, value);
}

static bool header_is(const struct http_request *req, const char *name, const char *value)
{
	const char *v = http_header(req, name);

	return v && strcasecmp(v, value) == 0;
}

static void parse_identity(const struct http_request *req, struct http_client *c)
{
	copy_header(req, "User-Agent", c->user_agent);
	copy_header(req, "X-AnyConnect-Platform", c->platform);
	copy_header(req, "X-AnyConnect-Identifier-Platform", c->platform);
	copy_header(req, "X-AnyConnect-Identifier-PlatformVersion", c->platform_version);
	copy_header(req, "X-AnyConnect-Identifier-ClientVersion", c->client_version);
	copy_header(req, "X-AnyConnect-Identifier-DeviceType", c->device_type);
	copy_header(req, "X-AnyConnect-Identifier-Device-UniqueID", c->device_id);
	/* config.md 17.4: Apple's agent stands for an iOS device, too. */
	if (str_starts_nocase(c->platform, "apple-ios"))
		c->agent.ios = true;
	c->mobile = c->agent.ios || str_starts_nocase(c->platform, "android") ||
		    header_is(req, "X-CSTP-License", "mobile");
}

void http_client_parse(const struct http_request *req, struct http_client *out)
{
	*out = (struct http_client){
		.agent = client_agent_parse(http_header(req, "User-Agent")),
		.vpn_client = header_is(req, "X-Transcend-Version", "1"),
		.aggregate_auth = http_header(req, "X-Aggregate-Auth") != NULL,
		/* only this value counts (protocol.md 12) */
		.http_auth = header_is(req, "X-Support-HTTP-Auth", "true"),
		.host = http_header(req, "Host"),
		.authorization = http_header(req, "Authorization"),
		.strap_key = http_header(req, "X-AnyConnect-STRAP-Pubkey"),
		.strap_dh_key = http_header(req, "X-AnyConnect-STRAP-DH-Pubkey"),
		.strap_verify = http_header(req, "X-AnyConnect-STRAP-Verify"),
	};
	parse_identity(req, out);
	for (size_t i = 0; i < req->n_headers; i++)
		if (strcasecmp(req->headers[i].name, "Cookie") == 0)
			parse_cookies(req->headers[i].value, out);
}
