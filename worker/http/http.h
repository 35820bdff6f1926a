/* http.h - the dialogue before the tunnel: requests in, answers out, until a CONNECT is granted.
 *
 * Nothing here knows of sockets, TLS or messages between processes: the worker lends what the
 * dialogue needs as functions (struct http_env), and tests lend their own. */
#ifndef WORKER_HTTP_HTTP_H
#define WORKER_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"
#include "base/log.h"
#include "conf/conf.h"
#include "wire/auth_input.h"
#include "wire/auth_xml.h"
#include "wire/cstp_req.h"
#include "wire/cstp_resp.h"
#include "wire/http_client.h"

enum { HTTP_REQUESTS_MAX = 16 }; /* per connection, CONNECT included */

/* What is known of the connection once TLS is up. */
struct http_peer {
	char cert_sha1[41]; /* upper-case hex of the certificate this connection was shown */
	bool tls13;
	bool safe_renegotiation; /* RFC 5746: TLS 1.2 can rekey in place */
	enum suite_cipher cipher;
	enum suite_mac mac;
	uint32_t path_mtu; /* of the TCP connection; 0 unknown */
	bool outer_v6;	   /* it runs over IPv6 */
	bool no_dtls_psk;  /* the host allows no cipher that DTLS could have with TLS's key */
};

/* What became of the second certificate of a request (protocol.md 4.16). */
struct login_second {
	bool checked; /* false: it waits for the number that it must have signed */
	bool good;
	const char *user; /* NULL: it names nobody */
	struct strv groups;
};

/* One step of the login, for auth; everything is borrowed for the call. */
struct login_step {
	const uint8_t *context; /* COOKIE_LEN bytes naming the login; NULL: a new one */
	const struct auth_input *input;
	const struct http_client *client;
	const char *group_url;		   /* the URL's path as a group name; "" none */
	const struct login_second *second; /* NULL: the request brings no certificate */
};

/* The XML profile that Cisco clients are offered (protocol.md 3.4); no bytes: none. */
struct http_profile {
	const uint8_t *data;
	size_t len;
};

enum { LOGIN_NONCE = 32 };
enum login_kind { LOGIN_FORM, LOGIN_TICKET, LOGIN_DENIED, LOGIN_REDIRECT, LOGIN_SECOND_CERT };

/* What auth makes of it. */
struct login_answer {
	enum login_kind kind;
	bool has_context; /* false: the login has ended */
	uint8_t context[COOKIE_LEN];
	struct auth_form form;	    /* LOGIN_FORM: id, texts, fields, groups, selected */
	uint8_t ticket[COOKIE_LEN]; /* LOGIN_TICKET */
	bool own_profile;	    /* LOGIN_TICKET: the user has one instead of the host's */
	struct http_profile profile;
	const char *reason; /* LOGIN_DENIED: phrase of the 401 */
	const char *detail; /* LOGIN_DENIED: what the back end said, or NULL */
	/* WWW-Authenticate.  LOGIN_DENIED: NULL when the login is over.  LOGIN_TICKET: the end of a
	 * negotiation, NULL when there was none. */
	const char *challenge;
	bool fallback;		    /* another method exists */
	const char *location;	    /* LOGIN_REDIRECT */
	uint8_t nonce[LOGIN_NONCE]; /* LOGIN_SECOND_CERT: for the document that is signed */
};

/* What the cookies of a request are worth, before it is served. */
struct recall_ask {
	const struct http_client *client;
	bool profile; /* the session's profile is wanted, too */
	bool attempt; /* a bad ticket counts as an attempt to connect */
};

struct recall_answer {
	bool ticket;  /* its session lives */
	bool context; /* its login is under way */
	bool own_profile;
	struct http_profile profile; /* of the user himself, borrowed from the context */
};

/* A Kerberos message on its way to a KDC, and the KDC's answer; each with its length prefix. */
struct kdc_ask {
	const char *path;
	const char *realm; /* "": the first one of the path */
	const uint8_t *message;
	size_t len; /* 0: the request was malformed; it is only counted */
};

struct kdc_answer {
	bool ok;
	const uint8_t *message; /* borrowed from the context */
	size_t len;
};

/* CONNECT's question and its answer. */
struct tunnel_ask {
	const uint8_t *ticket; /* COOKIE_LEN bytes */
	const struct cstp_request *want;
	const struct http_client *client;
};

struct tunnel_grant {
	bool granted;
	unsigned status; /* refused: 401 or 503, and why */
	const char *reason;

	const struct session_conf *conf;
	const char *user, *group; /* "" none */
	bool mobile;
	struct addr_net v4, v6; /* family 0: none */
	uint8_t app_id[CSTP_ID_LEN];
	uint32_t session_left; /* seconds; 0 endless */
	bool udp;	       /* UDP may be offered, on udp_port */
	uint16_t udp_port;
	bool tun_headers; /* packets of the device have virtio-net headers */
	bool tun_uso;	  /* and may be large UDP ones */
};

/* The answers of `step`, `recall`, `relay` and `open` are children of CTX.  Any error ends the
 * connection. */
struct http_env {
	/* At least one byte.  ERR_CLOSED; ERR_TIMEOUT; ERR_STATE: asked to end. */
	enum err (*read)(void *arg, void *data, size_t cap, size_t *len);
	enum err (*write)(void *arg, const void *data, size_t len);
	/* Whether the client has sent anything that was not read yet; never waits. */
	bool (*has_more)(void *arg);
	enum err (*step)(void *arg, TALLOC_CTX *ctx, const struct login_step *step,
			 struct login_answer **out);
	/* Checks the certificate in INPUT, which must have signed the LEN bytes at DOCUMENT.  What
	 * OUT points to is a child of CTX. */
	void (*verify)(void *arg, TALLOC_CTX *ctx, const void *document, size_t len,
		       const struct auth_input *input, struct login_second *out);
	enum err (*recall)(void *arg, TALLOC_CTX *ctx, const struct recall_ask *ask,
			   struct recall_answer *out);
	enum err (*relay)(void *arg, TALLOC_CTX *ctx, const struct kdc_ask *ask,
			  struct kdc_answer *out);
	enum err (*open)(void *arg, TALLOC_CTX *ctx, const struct tunnel_ask *ask,
			 struct tunnel_grant **out);
	enum err (*logout)(void *arg, const uint8_t ticket[COOKIE_LEN]);
	/* The first request told who the client is. */
	void (*on_client)(void *arg, const struct http_client *client);
};

/* A granted CONNECT: what the tunnel shall be, and the answer that is still to be sent. */
struct tunnel_plan {
	struct tunnel_grant *grant;
	struct addr_net v6; /* family 0 when the MTU withdrew it */
	struct dtls_choice dtls;
	uint8_t master_secret[DTLS_MASTER_SECRET]; /* legacy DTLS */
	enum cstp_encoding cstp_encoding, dtls_encoding;
	uint32_t link_mtu, data_mtu;
	uint32_t dpd, keepalive, idle_timeout;
	enum cstp_rekey rekey;
	uint32_t rekey_time; /* of the server's timer, not the one announced */
	struct buf head;
};

struct http_dialogue {
	const struct conf *conf;
	const struct host_conf *host;
	const struct http_peer *peer;
	struct http_profile profile; /* the host's */
	const struct http_env *env;
	void *arg;
	const struct log_ctx *log;
	/* Its own, zero at the start. */
	bool has_context;   /* the login of this connection, for clients without cookies */
	bool authenticated; /* a ticket was given out here */
	bool proven;	    /* the client knows the secret of camouflage */
	uint8_t context[COOKIE_LEN];
};

/* Serves requests until a tunnel is granted (ERR_OK, *OUT a child of CTX) or the connection must be
 * closed: ERR_DENIED after a final 401, else as the environment said, or ERR_CLOSED. */
MUST_USE enum err http_run(struct http_dialogue *d, TALLOC_CTX *ctx, struct tunnel_plan **out);

#endif /* WORKER_HTTP_HTTP_H */
