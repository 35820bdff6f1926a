/* http_play.h - the dialogue before the tunnel with its environment played by the test: a script of
 * requests goes in, what the server wrote comes out.  Used by the tests of worker/http. */
#ifndef TESTS_UNIT_HTTP_PLAY_H
#define TESTS_UNIT_HTTP_PLAY_H

#include "worker/http/http.h"
#include "worker/http/routes.h"

struct play {
	TALLOC_CTX *ctx;
	struct conf *conf;
	struct http_peer peer;
	struct log_ctx log;
	const char *input;  /* what the client sends, a line of the dialogue at a time */
	const uint8_t *raw; /* sent behind it; NULL: nothing */
	size_t raw_len;
	struct buf output;
	struct login_answer answer; /* what auth says */
	char seen_group[GROUP_NAME_MAX + 1];
	char seen_password[64];
	char seen_document[1024], seen_second[64];
	bool seen_context, seen_logout, seen_checked;
	bool impatient; /* the client sends on before it has its answer */
	unsigned steps, recalls;
	struct recall_answer known; /* what auth knows of cookies */
	struct recall_ask seen_recall;
	struct http_profile profile; /* the host's */
	struct kdc_answer kdc;	     /* what the KDC says */
	char seen_kdc[128];	     /* path, realm and length of its request */
	struct tunnel_grant grant;
	struct tunnel_plan *plan;
	enum err result;
};

/* What the dialogue is lent; its ARG is the play. */
extern const struct http_env play_env;

/* The settings that ROWS, pairs of option and value ended by NULL, amount to; child of CTX. */
struct conf *conf_of(TALLOC_CTX *ctx, const char *const *rows);

/* A play with these settings, an auth that shows forms and a main that grants tunnels. */
void play_init(struct play *p, const char *const *rows);

/* Sends INPUT on a new connection; the head of the tunnel's answer, or all that was written. */
const char *play_run(struct play *p, const char *input);

void play_end(struct play *p);

#define POST(path, body_len, body)                                                                 \
	"POST " path " HTTP/1.1\r\nHost: h\r\nContent-Length: " body_len "\r\n\r\n" body
#define CONNECT(cookie, more)                                                                      \
	"CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: h\r\n" cookie                                  \
	"X-CSTP-Full-IPv6-Capability: true\r\n" more "\r\n"
#define LOGOUT(token)                                                                              \
	"<config-auth type=\"logout\"><session-token>" token "</session-token></config-auth>"
#define COOKIE "Cookie: webvpn=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"

#endif /* TESTS_UNIT_HTTP_PLAY_H */
