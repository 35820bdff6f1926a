/* worker_stage.c - fake supervisor, main and auth around a real worker. */
#include "tests/unit/worker_stage.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include "ipc/msg.h"

enum { WAIT_MS = 5000 };

/* ---- a certificate for the occasion, its key held by the fake auth ---- */

struct identity {
	gnutls_x509_privkey_t key;
	gnutls_privkey_t signer;
	gnutls_datum_t der;
};

static void identity_init(struct identity *id)
{
	gnutls_x509_crt_t crt;

	assert_int_equal(gnutls_x509_privkey_init(&id->key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(id->key, GNUTLS_PK_RSA, 2048, 0), 0);
	assert_int_equal(gnutls_privkey_init(&id->signer), 0);
	assert_int_equal(gnutls_privkey_import_x509(id->signer, id->key, 0), 0);
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_dn(crt, "CN=stage", NULL);
	gnutls_x509_crt_set_key(crt, id->key);
	gnutls_x509_crt_set_serial(crt, "\1", 1);
	gnutls_x509_crt_set_activation_time(crt, time(NULL) - 60);
	gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 3600);
	assert_int_equal(gnutls_x509_crt_sign2(crt, crt, id->key, GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &id->der), 0);
	gnutls_x509_crt_deinit(crt);
}

static void identity_deinit(struct identity *id)
{
	gnutls_privkey_deinit(id->signer);
	gnutls_x509_privkey_deinit(id->key);
	gnutls_free(id->der.data);
}

/* ---- the program ---- */

static int pack_conf(const char *const *rows, const struct identity *id)
{
	WorkerConf wc = WORKER_CONF__INIT;
	ConfRows list = CONF_ROWS__INIT;
	ConfRow row[16], *rowp[16];
	HostCerts host = HOST_CERTS__INIT, *hostp = &host;
	CertChain chain = CERT_CHAIN__INIT, *chainp = &chain;
	Span certs = SPAN__INIT;
	uint8_t *bytes;
	size_t len;
	int fd = memfd_create("conf", 0);

	for (; rows[0]; rows += 2) {
		const char *vhost = strchr(rows[0], '@'); /* option@vhost */
		ConfRow *r = &row[list.n_row];
		*r = (ConfRow)CONF_ROW__INIT;
		r->name = strndup(rows[0], vhost ? (size_t)(vhost - rows[0]) : strlen(rows[0]));
		r->vhost = vhost ? (char *)(uintptr_t)(vhost + 1) : r->vhost;
		r->value = (char *)(uintptr_t)rows[1];
		rowp[list.n_row++] = r;
	}
	list.row = rowp;
	wc.rows = &list;
	certs.len = id->der.size;
	chain.certs = &certs;
	host.vhost = (char *)(uintptr_t) "default";
	host.chain = &chainp;
	host.n_chain = 1;
	wc.host = &hostp;
	wc.n_host = 1;
	len = worker_conf__get_packed_size(&wc);
	bytes = malloc(len);
	worker_conf__pack(&wc, bytes);
	assert_int_equal(write(fd, bytes, len), len);
	free(bytes);
	for (size_t i = 0; i < list.n_row; i++)
		free(row[i].name);
	return fd;
}

static struct identity *identity_of(struct stage *s)
{
	return (struct identity *)(s + 1);
}

static void send_zygote(int fd, const ToZygote *msg, int passed)
{
	assert_int_equal(ipc_send(fd, &msg->base, &passed, passed >= 0), ERR_OK);
}

static void introduce(struct stage *s, const char *const *rows, bool isolate)
{
	ToZygote m = TO_ZYGOTE__INIT;
	Peer peer = PEER__INIT;
	EnterNamespaces enter = ENTER_NAMESPACES__INIT;
	ZygoteConf conf = ZYGOTE_CONF__INIT;
	int pair[2], fd, both[2];

	assert_int_equal(ipc_pair(pair), ERR_OK);
	s->main_fd = pair[0];
	peer.role = ROLE__ROLE_MAIN;
	m.msg_case = TO_ZYGOTE__MSG_PEER;
	m.peer = &peer;
	send_zygote(s->super_fd, &m, pair[1]);
	close(pair[1]);
	if (isolate) {
		fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
		m.msg_case = TO_ZYGOTE__MSG_ENTER;
		m.enter = &enter;
		send_zygote(s->super_fd, &m, fd);
		close(fd);
	}
	conf.generation = 1;
	conf.verbosity = 5;
	m.msg_case = TO_ZYGOTE__MSG_CONF;
	m.conf = &conf;
	both[0] = pack_conf(rows, identity_of(s));
	both[1] = memfd_create("area", MFD_CLOEXEC); /* nobody is trusted */
	assert_int_equal(write(both[1], identity_of(s)->der.data, identity_of(s)->der.size),
			 identity_of(s)->der.size);
	assert_int_equal(ipc_send(s->main_fd, &m.base, both, 2), ERR_OK);
	close(both[0]);
	close(both[1]);
}

static bool wait_in(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static ToMain *receive_main(TALLOC_CTX *ctx, int fd, struct ipc_fds *fds)
{
	ProtobufCMessage *msg = NULL;

	if (!wait_in(fd, WAIT_MS) || ipc_recv(ctx, fd, &to_main__descriptor, &msg, fds))
		return NULL;
	return (ToMain *)msg;
}

struct stage *stage_new(const char *const *rows, bool isolate)
{
	struct stage *s = talloc_zero_size(NULL, sizeof *s + sizeof(struct identity));
	struct ipc_fds fds = { .n = 0 };
	const ToMain *ready;
	int pair[2];

	identity_init(identity_of(s));
	assert_int_equal(ipc_pair(pair), ERR_OK);
	s->ctx = s;
	s->zygote = fork();
	if (s->zygote == 0) {
		char option[32];
		int fd = dup(pair[1]); /* without close-on-exec */
		snprintf(option, sizeof option, "--channel=%d", fd);
		execl("worker/sallyport-worker", "sallyport-worker", option, (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	s->super_fd = pair[0];
	introduce(s, rows, isolate);
	ready = receive_main(s, s->main_fd, &fds);
	assert_non_null(ready);
	assert_int_equal(ready->msg_case, TO_MAIN__MSG_ZYGOTE_READY);
	return s;
}

void stage_free(struct stage *s)
{
	int status = 0;

	close(s->main_fd);
	close(s->super_fd); /* tells the zygote to end */
	assert_int_equal(waitpid(s->zygote, &status, 0), s->zygote);
	assert_int_equal(status, 0);
	identity_deinit(identity_of(s));
	talloc_free(s);
}

/* ---- auth ---- */

struct auth_args {
	struct actor *a;
	struct identity *id;
};

static void send_worker(int fd, const ToWorker *m, int passed)
{
	(void)!ipc_send(fd, &m->base, &passed, passed >= 0);
}

static void auth_sign(struct auth_args *x, const Sign *q)
{
	gnutls_datum_t in = { q->data.data, (unsigned)q->data.len }, out = { 0 };
	ToWorker m = TO_WORKER__INIT;
	Signed s = SIGNED__INIT;
	int r;

	if (q->op == SIGN_OP__SIGN_DATA)
		r = gnutls_privkey_sign_data2(x->id->signer, q->algorithm, 0, &in, &out);
	else if (q->op == SIGN_OP__SIGN_HASH)
		r = gnutls_privkey_sign_hash2(x->id->signer, q->algorithm, 0, &in, &out);
	else
		r = gnutls_privkey_decrypt_data(x->id->signer, 0, &in, &out);
	s.ok = r == 0;
	s.data = (ProtobufCBinaryData){ .len = out.size, .data = out.data };
	m.msg_case = TO_WORKER__MSG_SIGNED;
	m.signed_ = &s;
	send_worker(x->a->auth_fd, &m, -1);
	gnutls_free(out.data);
}

static uint8_t context[32] = "the context of this login", ticket[32] = "the ticket of this session";

/* A form, until the password "right" has come for a user. */
static void auth_step(struct auth_args *x, const Step *q)
{
	ToWorker m = TO_WORKER__INIT;
	StepResult r = STEP_RESULT__INIT;
	Form form = FORM__INIT;
	FormInput in[2] = { FORM_INPUT__INIT, FORM_INPUT__INIT }, *inp[2] = { &in[0], &in[1] };
	LoginTicket t = LOGIN_TICKET__INIT;
	Denied d = DENIED__INIT;
	const char *password = q->n_answer ? q->answer[0]->value : "";

	in[0].type = (char *)(uintptr_t) "text";
	in[0].name = (char *)(uintptr_t) "username";
	in[1].type = in[1].name = (char *)(uintptr_t) "password";
	form.id = (char *)(uintptr_t) "main";
	form.message = (char *)(uintptr_t) "Please enter your username and password.";
	form.input = inp;
	form.n_input = 2;
	r.context = (ProtobufCBinaryData){ .len = sizeof context, .data = context };
	r.result_case = STEP_RESULT__RESULT_FORM;
	r.form = &form;
	if (q->kind == STEP_KIND__STEP_REPLY && strcmp(password, "right") == 0) {
		t.cookie = (ProtobufCBinaryData){ .len = sizeof ticket, .data = ticket };
		r.context.len = 0;
		r.result_case = STEP_RESULT__RESULT_TICKET;
		r.ticket = &t;
	} else if (strcmp(password, "deny") == 0) {
		d.status = 401;
		d.reason = (char *)(uintptr_t) "Authentication failed";
		r.result_case = STEP_RESULT__RESULT_DENIED;
		r.denied = &d;
	}
	m.msg_case = TO_WORKER__MSG_STEP;
	m.step = &r;
	send_worker(x->a->auth_fd, &m, -1);
}

/* Auth agrees with the ticket it gave out, and speaks for main as well. */
static void auth_open(struct auth_args *x, const OpenSession *q)
{
	static uint8_t v4[4] = { 10, 9, 8, 7 }, id[32] = "application id";
	ToWorker m = TO_WORKER__INIT;
	OpenRefused refused = OPEN_REFUSED__INIT;
	Refuse no_address = REFUSE__INIT;
	Tunnel t = TUNNEL__INIT;
	Session session = SESSION__INIT;
	Net net = NET__INIT;
	int pair[2];

	if (q->cookie.len != sizeof ticket || memcmp(q->cookie.data, ticket, sizeof ticket) != 0) {
		refused.status = 401;
		refused.reason = (char *)(uintptr_t) "Cookie is not acceptable";
		m.msg_case = TO_WORKER__MSG_OPEN_REFUSED;
		m.open_refused = &refused;
		send_worker(x->a->auth_fd, &m, -1);
		return;
	}
	if (x->a->refuse_tunnel) {
		no_address.status = 503;
		no_address.reason = (char *)(uintptr_t) "No address is free";
		m.msg_case = TO_WORKER__MSG_REFUSE;
		m.refuse = &no_address;
		send_worker(x->a->main_fd, &m, -1);
		return;
	}
	session.sid = (char *)(uintptr_t) "abcdefghijklmnopqrstuvwxyz01";
	session.user = (char *)(uintptr_t) "ann";
	session.vhost = (char *)(uintptr_t) "default";
	net.addr = (ProtobufCBinaryData){ .len = 4, .data = v4 };
	net.prefix = 24;
	t.session = &session;
	t.v4 = &net;
	t.app_id = (ProtobufCBinaryData){ .len = sizeof id, .data = id };
	t.udp = true;
	t.udp_port = 443;
	m.msg_case = TO_WORKER__MSG_TUNNEL;
	m.tunnel = &t;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	x->a->tun = pair[0];
	send_worker(x->a->main_fd, &m, pair[1]);
	close(pair[1]);
}

static void *auth_main(void *arg)
{
	struct auth_args *x = arg;
	enum err err = ERR_OK;

	while (!err || err == ERR_AGAIN) {
		TALLOC_CTX *tmp = talloc_new(NULL);
		ProtobufCMessage *msg = NULL;
		struct ipc_fds fds = { .n = 0 };
		(void)wait_in(x->a->auth_fd, WAIT_MS);
		err = ipc_recv(tmp, x->a->auth_fd, &to_auth__descriptor, &msg, &fds);
		if (!err && !x->a->silent_auth) {
			const ToAuth *m = (const ToAuth *)msg;
			if (m->msg_case == TO_AUTH__MSG_SIGN)
				auth_sign(x, m->sign);
			else if (m->msg_case == TO_AUTH__MSG_STEP)
				auth_step(x, m->step);
			else if (m->msg_case == TO_AUTH__MSG_OPEN_SESSION)
				auth_open(x, m->open_session);
		}
		talloc_free(tmp);
	}
	free(x);
	return NULL;
}

/* ---- a connection ---- */

void stage_spawn(struct stage *s, struct actor *a)
{
	ToZygote m = TO_ZYGOTE__INIT;
	Spawn spawn = SPAWN__INIT;
	struct auth_args *x = malloc(sizeof *x);
	int client[2], main_pair[2], auth_pair[2], fds[3];

	memset(a, 0, sizeof *a);
	a->stage = s;
	a->tun = -1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, client), 0);
	assert_int_equal(ipc_pair(main_pair), ERR_OK);
	assert_int_equal(ipc_pair(auth_pair), ERR_OK);
	a->client = client[0];
	a->main_fd = main_pair[0];
	a->auth_fd = auth_pair[0];
	spawn.worker_id = 7;
	spawn.proxy = s->proxy;
	m.msg_case = TO_ZYGOTE__MSG_SPAWN;
	m.spawn = &spawn;
	fds[0] = client[1];
	fds[1] = main_pair[1];
	fds[2] = auth_pair[1];
	assert_int_equal(ipc_send(s->main_fd, &m.base, fds, 3), ERR_OK);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	*x = (struct auth_args){ a, identity_of(s) };
	assert_int_equal(pthread_create(&a->auth, NULL, auth_main, x), 0);
}

const ToMain *actor_next(struct actor *a, TALLOC_CTX *ctx, ToMain__MsgCase msg_case, int *fd)
{
	for (;;) {
		struct ipc_fds fds = { .n = 0 };
		ToMain *m = receive_main(ctx, a->main_fd, &fds);
		if (m && m->msg_case == TO_MAIN__MSG_LOG && getenv("STAGE_LOG"))
			fprintf(stderr, "%s\n", m->log->event);
		if (fd)
			*fd = m && m->msg_case == msg_case ? ipc_fds_take(&fds, 0) : -1;
		ipc_fds_close(&fds);
		if (!m || m->msg_case == msg_case)
			return m;
	}
}

void actor_tell(struct actor *a, const ToWorker *msg)
{
	assert_int_equal(ipc_send(a->main_fd, &msg->base, NULL, 0), ERR_OK);
}

int actor_connect(struct actor *a, const char *sni, const char *priorities)
{
	static gnutls_certificate_credentials_t cred;
	int r;

	if (!cred)
		assert_int_equal(gnutls_certificate_allocate_credentials(&cred), 0);
	assert_int_equal(gnutls_init(&a->tls, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL), 0);
	gnutls_priority_set_direct(a->tls, priorities ? priorities : "NORMAL", NULL);
	gnutls_credentials_set(a->tls, GNUTLS_CRD_CERTIFICATE, cred);
	if (sni)
		gnutls_server_name_set(a->tls, GNUTLS_NAME_DNS, sni, strlen(sni));
	if (a->alpn)
		gnutls_alpn_set_protocols(a->tls, a->alpn, 1, 0);
	gnutls_transport_set_int(a->tls, a->client);
	gnutls_handshake_set_timeout(a->tls, WAIT_MS);
	gnutls_record_set_timeout(a->tls, WAIT_MS);
	do
		r = gnutls_handshake(a->tls);
	while (r < 0 && !gnutls_error_is_fatal(r));
	return r;
}

void actor_send(struct actor *a, const char *text)
{
	assert_int_equal(gnutls_record_send(a->tls, text, strlen(text)), strlen(text));
}

void actor_post(struct actor *a, const char *path, const char *headers, const char *body)
{
	char text[8192];

	snprintf(text, sizeof text,
		 "POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n%s", path, headers,
		 strlen(body), body);
	actor_send(a, text);
}

/* Head and body by Content-Length; a CONNECT answer has only a head. */
static bool is_complete(const char *text, size_t len)
{
	const char *end = strstr(text, "\r\n\r\n"), *field;

	if (!end)
		return false;
	field = strstr(text, "Content-Length: ");
	return !field || len >= (size_t)(end + 4 - text) + strtoul(field + 16, NULL, 10);
}

size_t actor_read(struct actor *a)
{
	size_t len = 0;

	a->text[0] = '\0';
	while (!is_complete(a->text, len) && len < sizeof a->text - 1) {
		ssize_t n = gnutls_record_recv(a->tls, a->text + len, sizeof a->text - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
		a->text[len] = '\0';
	}
	return len;
}

/* Status of the next worker that the zygote reaps. */
static uint32_t exit_status(struct stage *s)
{
	TALLOC_CTX *tmp = talloc_new(s);
	struct ipc_fds fds = { .n = 0 };
	const ToMain *m;
	uint32_t status;

	do {
		m = receive_main(tmp, s->main_fd, &fds);
		assert_non_null(m);
	} while (m->msg_case != TO_MAIN__MSG_WORKER_EXITED);
	status = m->worker_exited->status;
	talloc_free(tmp);
	return status;
}

void actor_free(struct actor *a)
{
	if (a->tls)
		gnutls_deinit(a->tls);
	close(a->client);
	if (a->tun >= 0)
		close(a->tun);
	close(a->main_fd);
	shutdown(a->auth_fd, SHUT_RDWR);
	pthread_join(a->auth, NULL);
	close(a->auth_fd);
	assert_int_equal(exit_status(a->stage), 0);
}
