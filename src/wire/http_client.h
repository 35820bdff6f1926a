/* http_client.h - what a request says about the client: cookies, class, platform, abilities.
 * Pure; used by the worker.  protocol.md 3.2, 3.3, 4.11. */
#ifndef WIRE_HTTP_CLIENT_H
#define WIRE_HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/http_req.h"

enum {
	COOKIE_LEN = 32,  /* decoded bytes of webvpn and webvpncontext */
	COOKIE_TEXT = 45, /* their base64 and a NUL */
	CLIENT_TEXT = 64, /* longest client text kept, and a NUL */
};

/* Chooses formats, never rights: any client may send any User-Agent. */
enum client_class {
	CLIENT_UNKNOWN, /* treated as OPENCONNECT */
	CLIENT_OPENCONNECT,
	CLIENT_OCV3, /* openconnect <= 3: bare <auth> replies, no IPv6 routes and DNS */
	CLIENT_ANYCONNECT,
	CLIENT_IPPHONE,
};

struct client_agent {
	enum client_class class;
	bool ios;     /* AnyConnect for Apple iOS, by name or by platform */
	bool browser; /* "Mozilla/..." */
};

struct http_client {
	struct client_agent agent;
	bool vpn_client;	      /* X-Transcend-Version: 1 */
	bool aggregate_auth;	      /* X-Aggregate-Auth: speaks XML */
	bool http_auth;		      /* X-Support-HTTP-Auth: true; can answer 401 challenges */
	bool mobile;		      /* identified as a phone or tablet: mobile timers apply */
	bool has_ticket, has_context; /* a well-formed webvpn, webvpncontext cookie came */
	uint8_t ticket[COOKIE_LEN];
	uint8_t context[COOKIE_LEN];
	char user_agent[CLIENT_TEXT];
	char platform[CLIENT_TEXT]; /* X-AnyConnect-Identifier-Platform, else -Platform */
	char platform_version[CLIENT_TEXT];
	char client_version[CLIENT_TEXT];
	char device_type[CLIENT_TEXT];
	char device_id[CLIENT_TEXT];
	/* Borrowed from the request; NULL when absent. */
	const char *host;
	const char *authorization;
	const char *strap_key, *strap_dh_key, *strap_verify;
};

/* Class of a User-Agent text (NULL: absent); the first matching prefix of the table wins. */
struct client_agent client_agent_parse(const char *user_agent);

/* Fills *OUT from REQ.  Malformed cookies and headers count as absent.  Of several cookies of one
 * name the last valid one wins.  The caller wipes OUT->ticket when done (secret_wipe). */
void http_client_parse(const struct http_request *req, struct http_client *out);

/* Decodes a cookie value of LEN bytes: exactly COOKIE_LEN bytes in base64.  ERR_SYNTAX. */
MUST_USE enum err cookie_decode(const char *value, size_t len, uint8_t out[COOKIE_LEN]);

#endif /* WIRE_HTTP_CLIENT_H */
