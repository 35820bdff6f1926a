/* radius_conf.h - the client file of the radcli and freeradius-client libraries, and the file with
 * the servers' secrets that it names (radius.md 1).  Pure parsing; used by the backend `radius`.
 *
 * We read it ourselves because the library gives up at a keyword that it does not know or that is
 * repeated, and keeps no more than one server where TLS is used. */
#ifndef AUTH_BACKEND_RADIUS_CONF_H
#define AUTH_BACKEND_RADIUS_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"
#include "base/str.h"

enum {
	RADIUS_SECRET_MAX = 95, /* bytes; the library cuts longer ones without a word */
	RADIUS_SERVERS_MAX = 8, /* of one kind, as in the library */
	RADIUS_FILE_MAX = 65536,
};

enum radius_transport { RADIUS_UDP, RADIUS_TCP, RADIUS_TLS, RADIUS_DTLS };

/* Must replies to logins carry a Message-Authenticator? */
enum radius_signing {
	RADIUS_SIGNING_AUTO, /* yes, as soon as the server has sent one */
	RADIUS_SIGNING_YES,
	RADIUS_SIGNING_NO,
};

struct radius_server {
	const char *name;   /* as written, host and port: for the log and for remembering */
	const char *host;   /* name or address, without brackets */
	const char *secret; /* NULL: it stands in the secrets file */
	uint16_t port;
};

struct radius_servers {
	struct radius_server item[RADIUS_SERVERS_MAX];
	size_t n;
};

struct radius_conf {
	struct radius_servers auth, acct;
	enum radius_transport transport;
	enum radius_signing signing;
	unsigned timeout;  /* seconds for one try */
	unsigned retries;  /* tries after the first one, for each server */
	unsigned deadtime; /* seconds that a server is left alone that did not answer */
	bool any_name;	   /* TLS: the certificate may be for another name */
	/* NULL: not in the file. */
	const char *dictionary, *secrets, *realm, *bindaddr, *nas_ip, *nas_identifier;
	const char *tls_ca, *tls_cert, *tls_key;
	struct strv unknown; /* keywords that mean nothing to us */
};

/* Reads the client file's LEN bytes at TEXT; strings of *OUT are children of CTX.  ERR_CONF: *WHY
 * (child of CTX) names the line and what would be right. */
MUST_USE enum err radius_conf_parse(TALLOC_CTX *ctx, const char *text, size_t len,
				    struct radius_conf *out, const char **why);

/* One line of the secrets file: HOST SECRET, or HOST/HOST SECRET. */
struct radius_secret {
	const char *host, *other; /* OTHER: NULL in the first form */
	const char *secret;
};

struct radius_secrets {
	struct radius_secret *item;
	size_t n;
};

/* Reads the secrets file; everything is a child of CTX and wiped with it.  Lines that are no
 * entries are skipped, as the library does. */
MUST_USE enum err radius_secrets_parse(TALLOC_CTX *ctx, const char *text, size_t len,
				       struct radius_secrets *out);

#endif /* AUTH_BACKEND_RADIUS_CONF_H */
