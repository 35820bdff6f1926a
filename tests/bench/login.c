/* login.c - logs in as openconnect does, with just what servers ask of a user with a password.
 * Used by vpnload. */
#include "tests/bench/login.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	ANSWER_MAX = 512 * 1024, /* head and body of a response */
	ROUNDS = 6,		 /* forms of one dialogue */
	PATIENCE_S = 20,	 /* for one answer of the server */
};

static const char agent[] = "Open AnyConnect VPN Agent v9.01";

__attribute__((format(printf, 3, 4))) static enum err fail(struct login *l, enum err err,
							   const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(l->why, sizeof l->why, fmt, ap);
	va_end(ap);
	return err;
}

static int login_deinit(struct login *l)
{
	if (l->tls)
		gnutls_deinit(l->tls);
	if (l->cred)
		gnutls_certificate_free_credentials(l->cred);
	if (l->fd >= 0)
		close(l->fd);
	return 0;
}

/* A TCP connection to the first address that answers. */
static enum err dial(struct login *l, const struct login_ask *ask)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	int ret = getaddrinfo(ask->host, ask->port, &hints, &list);
	if (ret)
		return fail(l, ERR_NOT_FOUND, "%s: %s", ask->host, gai_strerror(ret));
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	for (struct addrinfo *a = list; a && l->fd < 0; a = a->ai_next) {
		int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
		if (connect(fd, a->ai_addr, a->ai_addrlen) ||
		    endpoint_from_sockaddr(a->ai_addr, &l->server))
			close(fd);
		else
			l->fd = fd;
	}
	int error = errno;
	freeaddrinfo(list);
	if (l->fd < 0)
		return fail(l, ERR_SYS, "%s port %s: %s", ask->host, ask->port, strerror(error));
	return ERR_OK;
}

static enum err shake_hands(struct login *l)
{
	int ret = gnutls_init(&l->tls, GNUTLS_CLIENT);
	if (ret >= 0)
		ret = gnutls_certificate_allocate_credentials(&l->cred);
	if (ret >= 0)
		ret = gnutls_credentials_set(l->tls, GNUTLS_CRD_CERTIFICATE, l->cred);
	/* As openconnect. */
	if (ret >= 0)
		ret = gnutls_priority_set_direct(l->tls, "NORMAL:%COMPAT", NULL);
	if (ret < 0)
		return fail(l, ERR_TLS, "TLS: %s", gnutls_strerror(ret));
	gnutls_transport_set_int(l->tls, l->fd);
	do
		ret = gnutls_handshake(l->tls);
	while (ret < 0 && !gnutls_error_is_fatal(ret) && ret != GNUTLS_E_AGAIN);
	if (ret < 0)
		return fail(l, ERR_TLS, "TLS handshake: %s", gnutls_strerror(ret));
	return ERR_OK;
}

enum err login_new(TALLOC_CTX *ctx, const struct login_ask *ask, struct login **out)
{
	struct login *l = talloc_zero(ctx, struct login);
	if (!l)
		return ERR_NOMEM;
	l->fd = -1;
	buf_init(&l->in, l, ANSWER_MAX);
	talloc_set_destructor(l, login_deinit);
	*out = l;
	enum err err = dial(l, ask);
	return err ? err : shake_hands(l);
}

static enum err send_all(struct login *l, const struct buf *b)
{
	if (b->failed)
		return fail(l, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	for (size_t at = 0; at < b->len;) {
		ssize_t k = gnutls_record_send(l->tls, b->data + at, b->len - at);
		if (k < 0 && (k == GNUTLS_E_AGAIN || gnutls_error_is_fatal((int)k)))
			return fail(l, ERR_TLS, "sending: %s", gnutls_strerror((int)k));
		if (k > 0)
			at += (size_t)k;
	}
	return ERR_OK;
}

/* At least one more byte of the answer. */
static enum err receive_more(struct login *l)
{
	char piece[4096];
	uint64_t end = clock_ms() + PATIENCE_S * 1000;
	ssize_t k;
	/* AGAIN: the socket's timeout, but also a message without data, such as a ticket. */
	do
		k = gnutls_record_recv(l->tls, piece, sizeof piece);
	while (k < 0 && !gnutls_error_is_fatal((int)k) && clock_ms() < end);
	if (k < 0 && !gnutls_error_is_fatal((int)k))
		return fail(l, ERR_TIMEOUT, "the server does not answer");
	if (k <= 0)
		return fail(l, ERR_CLOSED, "the server has closed the connection");
	buf_put(&l->in, piece, (size_t)k);
	if (l->in.failed)
		return fail(l, ERR_TOO_LONG, "the server's answer is too long");
	return ERR_OK;
}

/* Value of header NAME in HEAD, of *LEN bytes; NULL without one.  The next one follows AFTER. */
static const char *header(const char *head, const char *after, const char *name, size_t *len)
{
	size_t n = strlen(name);
	for (const char *at = after ? after : head; (at = strstr(at, "\r\n")) && at[2] != '\r';) {
		at += 2;
		if (strncasecmp(at, name, n) || at[n] != ':')
			continue;
		at += n + 1;
		at += strspn(at, " ");
		*len = strcspn(at, "\r");
		return at;
	}
	return NULL;
}

static unsigned number(const char *head, const char *name, unsigned most)
{
	size_t len;
	const char *text = header(head, NULL, name, &len);
	unsigned n = 0;
	for (size_t i = 0; text && i < len && text[i] >= '0' && text[i] <= '9' && n <= most; i++)
		n = n * 10 + (unsigned)(text[i] - '0');
	return n <= most ? n : 0;
}

/* Keeps the webvpn cookie, if the answer sets it. */
static enum err take_cookie(struct login *l, const char *head)
{
	static const char name[] = "webvpn=";
	size_t len;
	for (const char *at = NULL; (at = header(head, at, "Set-Cookie", &len));) {
		if (strncmp(at, name, sizeof name - 1))
			continue;
		const char *value = at + sizeof name - 1;
		size_t n = strcspn(value, ";\r");
		if (n == 0)
			continue;
		talloc_free(l->cookie);
		l->cookie = talloc_strndup(l, value, n);
		if (!l->cookie)
			return fail(l, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	return ERR_OK;
}

/* Reads one response: *HEAD and *BODY are children of CTX; what follows stays in l->in. */
static enum err receive(struct login *l, TALLOC_CTX *ctx, char **head, char **body)
{
	const char *end;
	enum err err;
	while (!(end = strstr(buf_text(&l->in), "\r\n\r\n"))) {
		if ((err = receive_more(l)))
			return err;
	}
	size_t head_len = (size_t)(end - l->in.data) + 4;
	*head = talloc_strndup(ctx, l->in.data, head_len);
	if (!*head)
		return fail(l, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	size_t len = number(*head, "Content-Length", ANSWER_MAX);
	while (l->in.len < head_len + len) {
		if ((err = receive_more(l)))
			return err;
	}
	*body = talloc_strndup(ctx, l->in.data + head_len, len);
	if (!*body)
		return fail(l, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	l->in.len -= head_len + len;
	memmove(l->in.data, l->in.data + head_len + len, l->in.len + 1);
	return take_cookie(l, *head);
}

static void put_head(struct buf *b, const struct login_ask *ask, const char *line)
{
	buf_printf(b, "%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\n", line, ask->host, agent);
}

/* One request with an XML document whose middle is INNER. */
static enum err post(struct login *l, const struct login_ask *ask, const char *path,
		     const char *type, const char *inner)
{
	struct buf body, b;
	TALLOC_CTX *tmp = talloc_new(l);
	buf_init(&body, tmp, ANSWER_MAX);
	buf_printf(&body,
		   "<?xml version=\"1.0\" encoding=\"UTF-8\"?><config-auth client=\"vpn\" "
		   "type=\"%s\"><version who=\"vpn\">v9.01</version><device-id>linux-64"
		   "</device-id>%s</config-auth>",
		   type, inner);
	char *line = talloc_asprintf(tmp, "POST %s", path);
	buf_init(&b, tmp, ANSWER_MAX);
	put_head(&b, ask, line ? line : "POST /");
	buf_printf(&b,
		   "X-Transcend-Version: 1\r\nX-Aggregate-Auth: 1\r\nContent-Type: "
		   "application/xml; charset=utf-8\r\nContent-Length: %zu\r\n\r\n%s",
		   body.len, buf_text(&body));
	enum err err = send_all(l, &b);
	talloc_free(tmp);
	return err;
}

/* The path that the form in BODY is sent to, child of CTX. */
static char *form_action(TALLOC_CTX *ctx, const char *body)
{
	static const char name[] = "action=\"";
	const char *at = strstr(body, name);
	if (!at)
		return talloc_strdup(ctx, "/auth");
	at += sizeof name - 1;
	return talloc_strndup(ctx, at, strcspn(at, "\""));
}

/* Answers the form in BODY.  ASKED: whether it was the password already. */
static enum err answer(struct login *l, const struct login_ask *ask, const char *body, bool *asked)
{
	bool user = strstr(body, "name=\"username\""), pass = strstr(body, "name=\"password\"");
	if (!user && !pass)
		return fail(l, ERR_PROTO, "the server asks for more than user and password");
	if (*asked)
		return fail(l, ERR_CREDENTIALS, "the server has refused the login");
	*asked = pass;
	struct buf b;
	TALLOC_CTX *tmp = talloc_new(l);
	buf_init(&b, tmp, ANSWER_MAX);
	buf_puts(&b, "<auth>");
	if (user) {
		buf_puts(&b, "<username>");
		buf_put_xml(&b, ask->user);
		buf_puts(&b, "</username>");
	}
	if (pass) {
		buf_puts(&b, "<password>");
		buf_put_xml(&b, ask->password);
		buf_puts(&b, "</password>");
	}
	buf_puts(&b, "</auth>");
	char *action = form_action(tmp, body);
	enum err err = post(l, ask, action ? action : "/auth", "auth-reply", buf_text(&b));
	talloc_free(tmp);
	return err;
}

/* The words of a status line, for messages. */
static enum err check_status(struct login *l, const char *head)
{
	unsigned status = 0;
	if (sscanf(head, "HTTP/1.%*1[01] %3u", &status) != 1)
		return fail(l, ERR_PROTO, "the server does not speak HTTP");
	if (status == 401 || status == 403)
		return fail(l, ERR_CREDENTIALS, "the server has refused the login");
	if (status != 200)
		return fail(l, ERR_DENIED, "the server says: %.*s", (int)strcspn(head, "\r"), head);
	return ERR_OK;
}

enum err login_run(struct login *l, const struct login_ask *ask)
{
	TALLOC_CTX *tmp = talloc_new(l);
	bool asked = false;
	char *head, *body;
	enum err err = post(l, ask, "/", "init", "");
	for (unsigned i = 0; !err && !l->cookie; i++) {
		if (i == ROUNDS)
			err = fail(l, ERR_PROTO, "the login does not end");
		if (!err)
			err = receive(l, tmp, &head, &body);
		if (!err)
			err = check_status(l, head);
		if (!err && !l->cookie)
			err = answer(l, ask, body, &asked);
	}
	talloc_free(tmp);
	return err;
}

static void copy_value(char *out, size_t cap, const char *head, const char *name)
{
	size_t len = 0;
	const char *text = header(head, NULL, name, &len);
	(void)snprintf(out, cap, "%.*s", (int)len, text ? text : "");
}

static enum err take_routes(struct login *l, const char *head, struct strv *out)
{
	static const char *const names[] = { "X-CSTP-Split-Include", "X-CSTP-Split-Include-IP6" };
	size_t len;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		for (const char *at = NULL; (at = header(head, at, names[i], &len));) {
			char net[ADDR_NET_TEXT];
			(void)snprintf(net, sizeof net, "%.*s", (int)len, at);
			if (strv_add(l, out, net))
				return fail(l, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
		}
	}
	return ERR_OK;
}

static enum err read_grant(struct login *l, const char *head, struct login_grant *out)
{
	char id[2 * sizeof out->app_id + 1];
	struct login_grant g = { .mtu = number(head, "X-CSTP-MTU", 16384) };
	copy_value(g.address, sizeof g.address, head, "X-CSTP-Address");
	copy_value(g.address6, sizeof g.address6, head, "X-CSTP-Address-IP6");
	if (!g.mtu || !g.address[0])
		return fail(l, ERR_PROTO, "the server grants no address or no MTU");
	copy_value(id, sizeof id, head, "X-DTLS-App-ID");
	g.udp_port = (uint16_t)number(head, "X-DTLS-Port", 65535);
	g.app_id_len = g.udp_port ? strlen(id) / 2 : 0;
	if (g.app_id_len && hex_decode(id, g.app_id, g.app_id_len))
		return fail(l, ERR_PROTO, "the server's X-DTLS-App-ID is no hexadecimal number");
	enum err err = take_routes(l, head, &g.routes);
	if (!err)
		*out = g;
	return err;
}

enum err login_open(struct login *l, const struct login_ask *ask, struct login_grant *out)
{
	struct buf b;
	TALLOC_CTX *tmp = talloc_new(l);
	char *head, *body;
	buf_init(&b, tmp, ANSWER_MAX);
	put_head(&b, ask, "CONNECT /CSCOSSLC/tunnel");
	buf_printf(&b,
		   "Cookie: webvpn=%s\r\nX-CSTP-Version: 1\r\nX-CSTP-Hostname: vpnload\r\n"
		   "X-CSTP-Base-MTU: 1500\r\nX-CSTP-MTU: %u\r\n"
		   "X-CSTP-Address-Type: IPv6,IPv4\r\nX-CSTP-Full-IPv6-Capability: true\r\n",
		   l->cookie, ask->mtu);
	/* The secret is for the legacy mode, which is not offered: servers only look whether it is
	 * there. */
	if (ask->dtls)
		buf_printf(&b,
			   "X-DTLS-Master-Secret: %096d\r\n"
			   "X-DTLS-CipherSuite: PSK-NEGOTIATE\r\n",
			   0);
	buf_puts(&b, "\r\n");
	enum err err = send_all(l, &b);
	if (!err)
		err = receive(l, tmp, &head, &body);
	if (!err)
		err = check_status(l, head);
	if (!err)
		err = read_grant(l, head, out);
	talloc_free(tmp);
	return err;
}
