/* radius_client.c - one request by radcli, in a child process. */
#include "auth/backend/radius_client.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <radcli/radcli.h>

#include "auth/backend/radius_relay.h"
#include "base/addr.h"
#include "base/file.h"
#include "base/secret.h"

enum {
	NUMBER_TEXT = 16,
	GRACE = 1,     /* seconds beyond the library's own tries */
	ANSWER_FD = 3, /* in the child */
};

_Static_assert((int)RADIUS_TIMEOUT == TIMEOUT_RC && (int)RADIUS_REJECT == REJECT_RC &&
		       (int)RADIUS_CHALLENGE == CHALLENGE_RC && (int)RADIUS_OK == OK_RC &&
		       (int)RADIUS_BAD_REPLY == BADRESP_RC && (int)RADIUS_BAD_ID == BADRESPID_RC &&
		       (int)RADIUS_FAILED == ERROR_RC,
	       "the library's codes");

/* What we send and what we read, in addition to the administrator's dictionary and before it:
 * radcli neither packs nor parses what no dictionary has (radius.md 1). */
static const char dictionary[] = "VENDOR Microsoft 311\n"
				 "VENDOR Roaring-Penguin 10055\n"
				 "ATTRIBUTE User-Name 1 string\n"
				 "ATTRIBUTE User-Password 2 string\n"
				 "ATTRIBUTE NAS-IP-Address 4 ipaddr\n"
				 "ATTRIBUTE Service-Type 6 integer\n"
				 "ATTRIBUTE Framed-Protocol 7 integer\n"
				 "ATTRIBUTE Framed-IP-Address 8 ipaddr\n"
				 "ATTRIBUTE Framed-IP-Netmask 9 ipaddr\n"
				 "ATTRIBUTE Reply-Message 18 string\n"
				 "ATTRIBUTE Framed-Route 22 string\n"
				 "ATTRIBUTE State 24 string\n"
				 "ATTRIBUTE Class 25 string\n"
				 "ATTRIBUTE Session-Timeout 27 integer\n"
				 "ATTRIBUTE Calling-Station-Id 31 string\n"
				 "ATTRIBUTE NAS-Identifier 32 string\n"
				 "ATTRIBUTE Acct-Status-Type 40 integer\n"
				 "ATTRIBUTE Acct-Delay-Time 41 integer\n"
				 "ATTRIBUTE Acct-Input-Octets 42 integer\n"
				 "ATTRIBUTE Acct-Output-Octets 43 integer\n"
				 "ATTRIBUTE Acct-Session-Id 44 string\n"
				 "ATTRIBUTE Acct-Authentic 45 integer\n"
				 "ATTRIBUTE Acct-Session-Time 46 integer\n"
				 "ATTRIBUTE Acct-Input-Packets 47 integer\n"
				 "ATTRIBUTE Acct-Output-Packets 48 integer\n"
				 "ATTRIBUTE Acct-Terminate-Cause 49 integer\n"
				 "ATTRIBUTE Acct-Input-Gigawords 52 integer\n"
				 "ATTRIBUTE Acct-Output-Gigawords 53 integer\n"
				 "ATTRIBUTE NAS-Port-Type 61 integer\n"
				 "ATTRIBUTE Connect-Info 77 string\n"
				 "ATTRIBUTE Message-Authenticator 80 string\n"
				 "ATTRIBUTE Acct-Interim-Interval 85 integer\n"
				 "ATTRIBUTE NAS-IPv6-Address 95 ipv6addr\n"
				 "ATTRIBUTE Framed-IPv6-Prefix 97 ipv6prefix\n"
				 "ATTRIBUTE Framed-IPv6-Route 99 string\n"
				 "ATTRIBUTE Delegated-IPv6-Prefix 123 ipv6prefix\n"
				 "ATTRIBUTE Framed-IPv6-Address 168 ipv6addr\n"
				 "ATTRIBUTE DNS-Server-IPv6-Address 169 ipv6addr\n"
				 "BEGIN-VENDOR Microsoft\n"
				 "ATTRIBUTE MS-Primary-DNS-Server 28 ipaddr\n"
				 "ATTRIBUTE MS-Secondary-DNS-Server 29 ipaddr\n"
				 "END-VENDOR Microsoft\n"
				 "BEGIN-VENDOR Roaring-Penguin\n"
				 "ATTRIBUTE RP-Upstream-Speed-Limit 1 integer\n"
				 "ATTRIBUTE RP-Downstream-Speed-Limit 2 integer\n"
				 "END-VENDOR Roaring-Penguin\n";

/* Where the library sends to, which is our relay where datagrams are used. */
struct target {
	const char *host, *secret;
	uint16_t port;
};

/* ---- in the child: the library -------------------------------------------- */

static bool set(rc_handle *rh, const char *key, const char *value)
{
	return !value || rc_add_config(rh, key, value, "sallyport", 0) == 0;
}

static bool set_number(rc_handle *rh, const char *key, unsigned value)
{
	char text[NUMBER_TEXT];

	snprintf(text, sizeof text, "%u", value);
	return set(rh, key, text);
}

/* The library's server list, one entry long: with more it would not use TLS. */
static SERVER *set_server(rc_handle *rh, const struct radius_query *q, const struct target *to)
{
	bool acct = q->accounting && q->conf->transport < RADIUS_TLS;
	SERVER *s = rc_conf_srv(rh, acct ? "acctserver" : "authserver");

	if (!s)
		return NULL;
	s->name[0] = strdup(to->host);
	s->port[0] = to->port;
	s->secret[0] = to->secret ? strdup(to->secret) : NULL;
	s->max = 1;
	return s->name[0] ? s : NULL;
}

/* Radcli 1.2.11 reads "tls-verify-hostname true" as an order not to verify: it is told only what
 * turns the check off. */
static bool set_transport(rc_handle *rh, const struct radius_conf *c, const char *host)
{
	static const char *const name[] = { "udp", "tcp", "tls", "dtls" };
	/* It takes the family of its sockets from here. */
	const char *any = strchr(host, ':') ? "::" : NULL;

	if (c->transport == RADIUS_UDP)
		return true;
	return set(rh, "serv-type", name[c->transport]) &&
	       set(rh, "bindaddr", c->bindaddr && strcmp(c->bindaddr, "*") ? c->bindaddr : any) &&
	       set(rh, "tls-ca-file", c->tls_ca) && set(rh, "tls-cert-file", c->tls_cert) &&
	       set(rh, "tls-key-file", c->tls_key) &&
	       set(rh, "tls-verify-hostname", c->any_name ? "false" : NULL);
}

/* The secrets of RFC 6614 and 7360, which the library has but does not find. */
static bool set_tls_secret(const struct radius_conf *c, SERVER *s)
{
	if (c->transport < RADIUS_TLS)
		return true;
	free(s->secret[0]);
	s->secret[0] = strdup(c->transport == RADIUS_TLS ? "radsec" : "radius/dtls");
	return s->secret[0];
}

static bool set_dictionary(rc_handle *rh, const struct radius_conf *c)
{
	/* What is wrong with the administrator's one is in the library's log; we can do without.
	 * The last definition of an attribute counts. */
	if (c->dictionary)
		(void)rc_read_dictionary(rh, c->dictionary);
	return rc_read_dictionary_from_buffer(rh, dictionary, sizeof dictionary - 1) == 0;
}

static VALUE_PAIR *pairs_of(const rc_handle *rh, const struct radius_attrs *request)
{
	VALUE_PAIR *list = NULL;

	for (size_t i = 0; i < request->n; i++) {
		const struct radius_attr *a = &request->item[i];
		bool number = a->kind == RADIUS_INTEGER || a->kind == RADIUS_IPV4;

		if (!rc_avpair_add(rh, &list, (int)a->type,
				   number ? (const void *)&a->number32 : a->bytes,
				   number ? 0 : (int)a->len, (int)a->vendor))
			return NULL;
	}
	return list;
}

static enum radius_code exchange(const struct radius_query *q, const struct target *to,
				 VALUE_PAIR **received)
{
	rc_handle *rh = rc_new();
	VALUE_PAIR *request;
	SERVER *server;

	if (!rh || !rc_config_init(rh) || !set_number(rh, "radius_timeout", q->timeout) ||
	    !set_number(rh, "radius_retries", q->retries))
		return RADIUS_FAILED;
	server = set_server(rh, q, to);
	if (!server || !set_transport(rh, q->conf, to->host) || rc_apply_config(rh) != 0 ||
	    !set_tls_secret(q->conf, server) || !set_dictionary(rh, q->conf))
		return RADIUS_FAILED;
	request = pairs_of(rh, q->request);
	if (!request)
		return RADIUS_FAILED;
	return (enum radius_code)rc_aaa_ctx_server(
		rh, NULL, server, q->accounting && q->conf->transport < RADIUS_TLS ? ACCT : AUTH, 0,
		request, received, NULL, 0,
		q->accounting ? PW_ACCOUNTING_REQUEST : PW_ACCESS_REQUEST);
}

static struct radius_attr attr_of(const VALUE_PAIR *vp)
{
	struct radius_attr a = { .vendor = VENDOR(vp->attribute), .type = ATTRID(vp->attribute) };

	switch (vp->type) {
	case PW_TYPE_INTEGER:
	case PW_TYPE_DATE:
		a.kind = RADIUS_INTEGER;
		a.number32 = vp->lvalue;
		return a;
	case PW_TYPE_IPADDR:
		a.kind = RADIUS_IPV4;
		a.number32 = vp->lvalue;
		return a;
	case PW_TYPE_IPV6ADDR:
		a.kind = RADIUS_IPV6;
		break;
	case PW_TYPE_IPV6PREFIX:
		a.kind = RADIUS_PREFIX;
		break;
	default:
		a.kind = RADIUS_BYTES;
		break;
	}
	a.len = vp->lvalue < RADIUS_VALUE_MAX ? vp->lvalue : RADIUS_VALUE_MAX;
	memcpy(a.bytes, vp->strvalue, a.len);
	return a;
}

/* The runner's channel and sockets are no business of the library's, nor of whoever takes it over
 * by a reply. */
static void keep_only(int fd)
{
	/* Kernels before 5.9 have no such call. */
	if (dup2(fd, ANSWER_FD) < 0 || (close_range(ANSWER_FD + 1, ~0U, 0) < 0 && errno != ENOSYS))
		_exit(1);
}

/* The child's life: at its end the kernel takes back what the library kept. */
static _Noreturn void live(const struct radius_query *q, const struct target *to, int fd)
{
	VALUE_PAIR *received = NULL;
	int32_t code;
	bool ok;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	keep_only(fd);
	alarm(q->timeout * (q->retries + 1) + GRACE);
	code = exchange(q, to, &received);
	ok = !file_write(ANSWER_FD, &code, sizeof code);
	for (VALUE_PAIR *vp = received; ok && vp; vp = rc_avpair_next(vp)) {
		struct radius_attr a = attr_of(vp);

		ok = !file_write(ANSWER_FD, &a, sizeof a);
	}
	_exit(ok ? 0 : 1);
}

/* ---- in the runner -------------------------------------------------------- */

static bool read_all(int fd, void *data, size_t len)
{
	char *at = data;

	while (len) {
		ssize_t n = read(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static bool is_sound(const struct radius_attr *a)
{
	return a->len <= RADIUS_VALUE_MAX && (a->kind != RADIUS_IPV6 || a->len == 16 || !a->len);
}

/* A child that was killed has written nothing, or half an answer, which is none. */
static void read_answer(TALLOC_CTX *ctx, int fd, struct radius_answer *out)
{
	struct radius_attr a;
	int32_t code = RADIUS_TIMEOUT;

	out->reply = (struct radius_attrs){ .ctx = ctx };
	if (read_all(fd, &code, sizeof code))
		while (read_all(fd, &a, sizeof a) && is_sound(&a))
			radius_add(&out->reply, &a);
	out->code = (enum radius_code)code;
}

/* The child ends in time by itself, or is ended; only then its answer counts. */
static void finish(pid_t child, struct radius_answer *out)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !out->reply.failed)
		return;
	out->reply.n = 0;
	out->code =
		WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? RADIUS_TIMEOUT : RADIUS_FAILED;
}

static enum err run(TALLOC_CTX *ctx, const struct radius_query *q, const struct target *to,
		    struct radius_relay *relay, struct radius_answer *out)
{
	enum radius_relay_end end = RADIUS_RELAY_DONE;
	int fd[2];
	pid_t child;

	if (pipe2(fd, O_CLOEXEC) < 0)
		return ERR_SYS;
	child = fork();
	if (child == 0)
		live(q, to, fd[1]);
	close(fd[1]);
	if (child > 0 && relay)
		end = radius_relay_run(relay, fd[0]);
	if (child > 0 && end == RADIUS_RELAY_DONE) {
		read_answer(ctx, fd[0], out);
	} else if (child > 0) {
		kill(child, SIGKILL);
		out->why = "cannot send to it";
	}
	if (child > 0)
		finish(child, out);
	close(fd[0]);
	return child < 0 ? ERR_SYS : ERR_OK;
}

/* ---- secrets -------------------------------------------------------------- */

static bool same_address(const struct addrinfo *a, const struct addrinfo *b)
{
	struct endpoint x, y;

	return !endpoint_from_sockaddr(a->ai_addr, &x) && !endpoint_from_sockaddr(b->ai_addr, &y) &&
	       addr_equal(&x.addr, &y.addr);
}

/* Do the two names mean one machine?  The library compares addresses, so files are written so. */
static bool same_host(const char *a, const char *b)
{
	struct addrinfo hint = { .ai_socktype = SOCK_DGRAM }, *la = NULL, *lb = NULL;
	bool same = strcasecmp(a, b) == 0;

	if (!same && getaddrinfo(a, NULL, &hint, &la) == 0 && getaddrinfo(b, NULL, &hint, &lb) == 0)
		for (const struct addrinfo *i = la; i && !same; i = i->ai_next)
			for (const struct addrinfo *j = lb; j && !same; j = j->ai_next)
				same = same_address(i, j);
	if (la)
		freeaddrinfo(la);
	if (lb)
		freeaddrinfo(lb);
	return same;
}

/* From the client file, else the first entry of the secrets file for this host. */
static enum err find_secret(TALLOC_CTX *ctx, const struct radius_query *q, const char **out)
{
	struct radius_secrets all = { .n = 0 };
	char *text;
	size_t len;
	enum err err;

	*out = q->server->secret;
	if (*out || q->conf->transport >= RADIUS_TLS)
		return ERR_OK;
	if (!q->conf->secrets)
		return ERR_NOT_FOUND;
	err = file_read(ctx, q->conf->secrets, RADIUS_FILE_MAX, &text, &len);
	if (!err)
		err = radius_secrets_parse(ctx, text, len, &all);
	for (size_t i = 0; !err && !*out && i < all.n; i++) {
		const struct radius_secret *s = &all.item[i];

		if (same_host(s->host, q->server->host) ||
		    (s->other && same_host(s->other, q->server->host)))
			*out = s->secret;
	}
	return err || *out ? err : ERR_NOT_FOUND;
}

static enum err ask_by_relay(TALLOC_CTX *ctx, const struct radius_query *q, struct target *to,
			     struct radius_answer *out)
{
	const struct radius_way way = {
		.host = q->server->host,
		.port = q->server->port,
		.bindaddr = q->conf->bindaddr,
		.secret = to->secret,
		.seal = !q->accounting,
		.seal_needed = q->seal_needed,
		.patient = q->patient,
		.token = q->token,
	};
	struct radius_relay *relay;
	enum err err = radius_relay_open(ctx, &way, &relay, &out->why);

	if (err)
		return err;
	out->why = NULL;
	to->host = "127.0.0.1";
	to->port = radius_relay_port(relay);
	err = run(ctx, q, to, relay, out);
	out->sealed = radius_relay_sealed(relay);
	out->dropped = radius_relay_dropped(relay);
	if (radius_relay_refused(relay) && !radius_answered(out->code))
		out->why = "nobody listens at its port";
	talloc_free(relay);
	return err;
}

enum err radius_ask(TALLOC_CTX *ctx, const struct radius_query *q, struct radius_answer *out)
{
	struct target to = { .host = q->server->host, .port = q->server->port };
	TALLOC_CTX *tmp = talloc_new(ctx);
	enum err err = tmp ? find_secret(tmp, q, &to.secret) : ERR_NOMEM;

	*out = (struct radius_answer){ .code = RADIUS_FAILED };
	if (err)
		out->why = "no secret for it in the file that `servers` names";
	else if (q->conf->transport == RADIUS_UDP)
		err = ask_by_relay(ctx, q, &to, out);
	else
		err = run(ctx, q, &to, NULL, out);
	talloc_free(tmp);
	/* Another server may still do. */
	return err == ERR_NOT_FOUND || err == ERR_SYNTAX ? ERR_OK : err;
}
