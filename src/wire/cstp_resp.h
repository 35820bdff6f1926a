/* cstp_resp.h - the answer to CONNECT: every header that configures the client.
 * Pure; used by the worker.  protocol.md 5.3, 5.4. */
#ifndef WIRE_CSTP_RESP_H
#define WIRE_CSTP_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/str.h"
#include "wire/dtls_suite.h"
#include "wire/http_client.h"

enum {
	CSTP_ID_LEN = 32,		/* App-ID or DTLS session id */
	CSTP_RESPONSE_MAX = 512 * 1024, /* a sensible buffer limit: thousands of routes */
};

enum cstp_rekey { CSTP_REKEY_NONE, CSTP_REKEY_SSL, CSTP_REKEY_NEW_TUNNEL };

/* Lists may be NULL, texts may be NULL or "" when absent; times are seconds, 0 means none.
 * Everything is borrowed for the call. */
struct cstp_response {
	struct client_agent agent;
	bool full_ipv6; /* of the request: IPv6 routes and DNS are understood */

	struct addr_net v4, v6; /* family 0: not assigned or withdrawn */
	const char *hostname, *server_name, *default_domain;
	const struct strv *dns, *nbns, *split_dns;
	const struct strv *routes; /* config.md 13.1; empty or with "default": full tunnel */
	const struct strv *no_routes;
	bool tunnel_all_dns, client_bypass, dyndns, smartcard_removal;

	uint32_t dpd, keepalive, idle_timeout;
	uint32_t session_timeout, session_left; /* left: of the whole session, 0 is over */
	enum cstp_rekey rekey;
	uint32_t rekey_time;

	const char *pac_url; /* proxy-url, expanded */
	const char *banner;
	const struct strv *custom;   /* "Name: value" lines, expanded */
	const struct strv *security; /* of http_resp_security; NULL: the default list */

	struct dtls_choice dtls;
	uint16_t udp_port;
	uint8_t app_id[CSTP_ID_LEN]; /* App-ID in PSK mode, Session-ID in legacy mode */
	uint32_t base_mtu, mtu;	     /* link and data MTU (mtu.h) */
	const char *cstp_encoding, *dtls_encoding; /* "oc-lz4", "lzs"; NULL: none */
};

/* Appends the whole response head.  A route that is none fails B; with neither v4 nor v6, or
 * without mtu, B fails too, as clients would abort. */
void cstp_response_build(struct buf *b, const struct cstp_response *r);

/* Whether ROUTES sends everything through the tunnel: empty, or with a "default" entry. */
bool cstp_routes_are_default(const struct strv *routes);

#endif /* WIRE_CSTP_RESP_H */
