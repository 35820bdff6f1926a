/* test_auth_process.c - the auth program as its supervisor, main and workers see it. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <crypt.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <talloc.h>

#include "base/err.h"
#include "conf/conf.h"
#include "conf/option.h"
#include "conf/pack.h"
#include "ipc/auth.pb-c.h"
#include "ipc/main.pb-c.h"
#include "ipc/msg.h"
#include "ipc/super.pb-c.h"
#include "ipc/worker.pb-c.h"

enum { PATIENCE_MS = 10000, PATH_LEN = 200 };

struct rig {
	TALLOC_CTX *ctx;
	char dir[64];
	char cert[PATH_LEN], key[PATH_LEN], passwd[PATH_LEN];
	pid_t pid;
	int super, main, worker; /* our ends */
	int worker_far;		 /* auth's end, as the supervisor keeps it */
	int journal;
	char extra[400]; /* more lines of configuration */
};

/* LeakSanitizer reads its own process as a debugger does. */
#ifdef WITH_SANITIZERS
#define LEAK_CHECK "--traceable"
#else
#define LEAK_CHECK (char *)NULL
#endif

#define OK(call) assert_int_equal(call, ERR_OK)

/* ---- files ---------------------------------------------------------------- */

static void write_file(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	fclose(f);
}

static void write_key(struct rig *r)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_datum_t out;
	uint8_t serial = 1;

	gnutls_x509_privkey_init(&key);
	gnutls_x509_crt_init(&crt);
	assert_int_equal(
		gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		0);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, &serial, 1);
	gnutls_x509_crt_set_activation_time(crt, time(NULL) - 60);
	gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 3600);
	gnutls_x509_crt_set_dn(crt, "CN=vpn.example", NULL);
	gnutls_x509_crt_set_key(crt, key);
	assert_int_equal(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &out), 0);
	write_file(r->cert, out.data, out.size);
	gnutls_free(out.data);
	assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &out), 0);
	write_file(r->key, out.data, out.size);
	gnutls_free(out.data);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

static void write_passwd(struct rig *r)
{
	struct crypt_data data = { 0 };
	char line[300];

	snprintf(line, sizeof line, "alice:staff,guests:%s\n",
		 crypt_rn("secret", "$5$rounds=1000$salt$", &data, sizeof data));
	write_file(r->passwd, line, strlen(line));
}

static int conf_fd(struct rig *r)
{
	char text[2000];
	struct conf_report *report = conf_report_new(r->ctx);
	struct conf *conf;
	int fd;

	snprintf(text, sizeof text,
		 "auth = \"plain[passwd=%s]\"\ntcp-port = 443\nsocket-file = /tmp/s\n"
		 "server-cert = %s\nserver-key = %s\ndevice = vpns\nipv4-network = 10.0.0.0/24\n"
		 "select-group = staff\nselect-group = guests[Guest network]\n%s",
		 r->passwd, r->cert, r->key, r->extra);
	OK(conf_load_text(r->ctx, "test", text, strlen(text), report, &conf));
	OK(conf_pack_fd(&conf->rows, CONF_TO_AUTH, &fd));
	return fd;
}

/* ---- messages ------------------------------------------------------------- */

static void to_auth(int fd, ToAuth__MsgCase kind, void *field, int pass)
{
	ToAuth top = TO_AUTH__INIT;

	top.msg_case = kind;
	top.sign = field;
	OK(ipc_send(fd, &top.base, &pass, pass >= 0 ? 1 : 0));
}

static ProtobufCMessage *receive(struct rig *r, int fd, const ProtobufCMessageDescriptor *desc,
				 int *pass)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ProtobufCMessage *msg = NULL;
	struct ipc_fds fds;

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	OK(ipc_recv(r->ctx, fd, desc, &msg, &fds));
	if (pass)
		*pass = ipc_fds_take(&fds, 0);
	ipc_fds_close(&fds);
	return msg;
}

static const ToMain *to_main(struct rig *r, ToMain__MsgCase kind)
{
	const ToMain *msg =
		(const ToMain *)(const void *)receive(r, r->main, &to_main__descriptor, NULL);

	assert_int_equal(msg->msg_case, kind);
	return msg;
}

static const ToWorker *to_worker(struct rig *r, ToWorker__MsgCase kind)
{
	const ToWorker *msg =
		(const ToWorker *)(const void *)receive(r, r->worker, &to_worker__descriptor, NULL);

	assert_int_equal(msg->msg_case, kind);
	return msg;
}

/* ---- starting ------------------------------------------------------------- */

static void spawn(struct rig *r)
{
	int pair[2];

	OK(ipc_pair(pair));
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0) {
		dup2(pair[1], 3);
		execl(BUILDDIR "/auth/sallyport-auth", "sallyport-auth", "--verbosity=0", "--log=1",
		      "--channel=3", LEAK_CHECK, (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	r->super = pair[0];
}

static void send_start(struct rig *r, bool restarted)
{
	Start start = START__INIT;
	Peer peer = PEER__INIT;
	int pair[2];

	start.restarted = restarted;
	to_auth(r->super, TO_AUTH__MSG_START, &start, -1);
	OK(ipc_pair(pair));
	peer.role = ROLE__ROLE_MAIN;
	to_auth(r->super, TO_AUTH__MSG_PEER, &peer, pair[1]);
	close(pair[1]);
	r->main = pair[0];
}

static const ConfResult *send_conf(struct rig *r, uint64_t generation)
{
	AuthConf conf = AUTH_CONF__INIT;
	int fd = conf_fd(r);

	conf.generation = generation;
	to_auth(r->main, TO_AUTH__MSG_CONF, &conf, fd);
	close(fd);
	return to_main(r, TO_MAIN__MSG_CONF_RESULT)->conf_result;
}

static void send_worker(struct rig *r, bool proxy)
{
	WorkerNew new = WORKER_NEW__INIT;
	uint8_t v4[4] = { 192, 0, 2, 7 };
	Endpoint remote = ENDPOINT__INIT;
	int pair[2];

	OK(ipc_pair(pair));
	remote.addr = (ProtobufCBinaryData){ 4, v4 };
	remote.port = 4711;
	new.worker_id = 1;
	new.remote = &remote;
	new.proxy = proxy;
	to_auth(r->main, TO_AUTH__MSG_WORKER_NEW, &new, pair[1]);
	r->worker = pair[0];
	r->worker_far = pair[1];
}

static int setup(void **state)
{
	struct rig *r = talloc_zero(NULL, struct rig);
	const ToSuper *msg;

	r->ctx = r;
	strcpy(r->dir, "/tmp/auth-test.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->cert, sizeof r->cert, "%s/cert.pem", r->dir);
	snprintf(r->key, sizeof r->key, "%s/key.pem", r->dir);
	snprintf(r->passwd, sizeof r->passwd, "%s/passwd", r->dir);
	write_key(r);
	write_passwd(r);
	spawn(r);
	send_start(r, false);
	msg = (const ToSuper *)(const void *)receive(r, r->super, &to_super__descriptor,
						     &r->journal);
	assert_int_equal(msg->msg_case, TO_SUPER__MSG_KEEP_FD);
	assert_int_equal(msg->keep_fd->kind, FD_KIND__FD_JOURNAL_AUTH);
	assert_true(r->journal >= 0);
	assert_true(send_conf(r, 1)->ok);
	send_worker(r, false);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;
	int status;

	/* As long as there is a main it would wait for the last accounts. */
	close(r->main);
	close(r->super);
	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(r->worker);
	close(r->worker_far);
	close(r->journal);
	unlink(r->cert);
	unlink(r->key);
	unlink(r->passwd);
	rmdir(r->dir);
	talloc_free(r);
	return 0;
}

/* As the supervisor does when auth was killed. */
static void crash_and_restart(struct rig *r)
{
	FdRestored kept = FD_RESTORED__INIT;

	kill(r->pid, SIGKILL);
	waitpid(r->pid, NULL, 0);
	close(r->super);
	close(r->main);
	spawn(r);
	kept.kind = FD_KIND__FD_JOURNAL_AUTH;
	to_auth(r->super, TO_AUTH__MSG_FD_RESTORED, &kept, r->journal);
	kept.kind = FD_KIND__FD_WORKER_AUTH;
	kept.id = 1;
	to_auth(r->super, TO_AUTH__MSG_FD_RESTORED, &kept, r->worker_far);
	send_start(r, true);
	assert_true(send_conf(r, 2)->ok);
}

/* ---- a login -------------------------------------------------------------- */

static const StepResult *step(struct rig *r, StepKind kind, const StepResult *last,
			      const char *user, const char *password)
{
	Step msg = STEP__INIT;
	Answer answer = ANSWER__INIT, *list[] = { &answer };

	msg.kind = kind;
	msg.vhost = (char *)(uintptr_t) "default";
	if (last)
		msg.context = last->context;
	msg.has_username = user != NULL;
	msg.username = (char *)(uintptr_t)(user ? user : "");
	if (password) {
		answer.name = (char *)(uintptr_t) "password";
		answer.value = (char *)(uintptr_t)password;
		msg.answer = list;
		msg.n_answer = 1;
	}
	to_auth(r->worker, TO_AUTH__MSG_STEP, &msg, -1);
	return to_worker(r, TO_WORKER__MSG_STEP)->step;
}

static const LoginTicket *login(struct rig *r)
{
	const StepResult *form = step(r, STEP_KIND__STEP_INIT, NULL, NULL, NULL);
	const StepResult *done = step(r, STEP_KIND__STEP_REPLY, form, "alice", "secret");

	assert_int_equal(done->result_case, STEP_RESULT__RESULT_TICKET);
	assert_string_equal(to_main(r, TO_MAIN__MSG_LOGIN_DONE)->login_done->user, "alice");
	return done->ticket;
}

/* As main does when a PROXY header named the client. */
static void move_client(struct rig *r, uint8_t last)
{
	WorkerRemote moved = WORKER_REMOTE__INIT;
	ListSessions list = LIST_SESSIONS__INIT;
	uint8_t v4[4] = { 192, 0, 2, last };
	Endpoint remote = ENDPOINT__INIT;

	remote.addr = (ProtobufCBinaryData){ sizeof v4, v4 };
	moved.worker_id = 1;
	moved.remote = &remote;
	to_auth(r->main, TO_AUTH__MSG_WORKER_REMOTE, &moved, -1);
	/* Once this is answered, that was read. */
	to_auth(r->main, TO_AUTH__MSG_LIST_SESSIONS, &list, -1);
	to_main(r, TO_MAIN__MSG_SESSION_LIST);
}

static void open_tunnel(struct rig *r, const ProtobufCBinaryData *cookie)
{
	OpenSession open = OPEN_SESSION__INIT;

	open.cookie = *cookie;
	open.vhost = (char *)(uintptr_t) "default";
	to_auth(r->worker, TO_AUTH__MSG_OPEN_SESSION, &open, -1);
}

static void first_form_asks_for_name_password_and_group(void **state)
{
	const StepResult *form = step(*state, STEP_KIND__STEP_INIT, NULL, NULL, NULL);

	assert_int_equal(form->result_case, STEP_RESULT__RESULT_FORM);
	assert_int_equal(form->context.len, 32);
	assert_int_equal(form->form->n_input, 2);
	assert_int_equal(form->form->n_group, 2);
	assert_string_equal(form->form->group[1]->label, "Guest network");
}

static void ticket_opens_a_tunnel(void **state)
{
	struct rig *r = *state;
	const SessionOpen *open;

	open_tunnel(r, &login(r)->cookie);
	open = to_main(r, TO_MAIN__MSG_SESSION_OPEN)->session_open;
	assert_int_equal(open->worker_id, 1);
	assert_string_equal(open->session->user, "alice");
	assert_string_equal(open->session->group, "staff");
	assert_int_equal(strlen(open->session->sid), 28);
}

static void wrong_cookie_is_refused(void **state)
{
	struct rig *r = *state;
	uint8_t bytes[64] = { 1 };
	const size_t lengths[] = { 0, 1, 31, 32, 33, 64 };

	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		ProtobufCBinaryData cookie = { lengths[i], bytes };

		open_tunnel(r, &cookie);
		assert_int_equal(to_worker(r, TO_WORKER__MSG_OPEN_REFUSED)->open_refused->status,
				 401);
		assert_int_equal(to_main(r, TO_MAIN__MSG_CHARGE)->charge->points, 2);
	}
}

static void cookie_of_a_locked_user_is_dead(void **state)
{
	static const char locked[] = "alice:staff:!$5$rounds=1000$salt$x\n";
	struct rig *r = *state;
	const LoginTicket *ticket = login(r);

	write_file(r->passwd, locked, strlen(locked));
	open_tunnel(r, &ticket->cookie);
	to_main(r, TO_MAIN__MSG_SESSION_EXPIRED);
	assert_int_equal(to_worker(r, TO_WORKER__MSG_OPEN_REFUSED)->open_refused->status, 401);
	/* For good. */
	write_passwd(r);
	open_tunnel(r, &ticket->cookie);
	assert_int_equal(to_worker(r, TO_WORKER__MSG_OPEN_REFUSED)->open_refused->status, 401);
}

static void users_nobody_can_ask_about_may_come_back(void **state)
{
	struct rig *r = *state;
	const LoginTicket *ticket = login(r);

	unlink(r->passwd);
	open_tunnel(r, &ticket->cookie);
	assert_int_equal(to_worker(r, TO_WORKER__MSG_OPEN_REFUSED)->open_refused->status, 503);
	write_passwd(r);
	open_tunnel(r, &ticket->cookie);
	to_main(r, TO_MAIN__MSG_SESSION_OPEN);
}

static void logged_out_cookie_is_dead(void **state)
{
	struct rig *r = *state;
	const LoginTicket *ticket = login(r);
	Logout logout = LOGOUT__INIT;

	logout.cookie = ticket->cookie;
	to_auth(r->worker, TO_AUTH__MSG_LOGOUT, &logout, -1);
	to_main(r, TO_MAIN__MSG_SESSION_EXPIRED);
	open_tunnel(r, &ticket->cookie);
	to_worker(r, TO_WORKER__MSG_OPEN_REFUSED);
}

static void third_wrong_password_ends_the_login(void **state)
{
	struct rig *r = *state;
	const StepResult *s = step(r, STEP_KIND__STEP_INIT, NULL, NULL, NULL);

	for (int i = 0; i < 3; i++) {
		assert_int_equal(s->result_case, STEP_RESULT__RESULT_FORM);
		s = step(r, STEP_KIND__STEP_REPLY, s, "alice", "wrong");
		assert_int_equal(to_main(r, TO_MAIN__MSG_LOGIN_FAILED)->login_failed->points, 10);
	}
	assert_int_equal(s->result_case, STEP_RESULT__RESULT_DENIED);
	assert_int_equal(s->denied->status, 401);
}

static void session_survives_a_crash(void **state)
{
	struct rig *r = *state;
	const LoginTicket *ticket = login(r);

	crash_and_restart(r);
	to_worker(r, TO_WORKER__MSG_AUTH_HELLO);
	open_tunnel(r, &ticket->cookie);
	assert_string_equal(to_main(r, TO_MAIN__MSG_SESSION_OPEN)->session_open->session->user,
			    "alice");
}

static void login_with_a_context_from_before_a_crash_still_works(void **state)
{
	struct rig *r = *state;
	const StepResult *form = step(r, STEP_KIND__STEP_INIT, NULL, NULL, NULL);

	crash_and_restart(r);
	to_worker(r, TO_WORKER__MSG_AUTH_HELLO);
	form = step(r, STEP_KIND__STEP_REPLY, form, "alice", "secret");
	assert_int_equal(form->result_case, STEP_RESULT__RESULT_TICKET);
}

static void crashed_runner_fails_one_login_only(void **state)
{
	struct rig *r = *state;
	char command[64];

	login(r);
	/* Our own auth's children, by its id. */
	snprintf(command, sizeof command, "pkill -KILL -P %d", (int)r->pid);
	assert_int_equal(system(command), 0);
	login(r);
}

static void signature_verifies_with_the_chain(void **state)
{
	struct rig *r = *state;
	const ConfResult *conf = send_conf(r, 3);
	gnutls_datum_t pem, data = { (unsigned char *)(uintptr_t) "to be signed", 12 }, signature;
	gnutls_pubkey_t pub;
	gnutls_x509_crt_t crt;
	Sign sign = SIGN__INIT;
	const Signed *result;

	assert_true(conf->ok);
	sign.vhost = (char *)(uintptr_t) "default";
	sign.op = SIGN_OP__SIGN_DATA;
	sign.algorithm = GNUTLS_SIGN_ECDSA_SHA256;
	sign.data = (ProtobufCBinaryData){ data.size, data.data };
	to_auth(r->worker, TO_AUTH__MSG_SIGN, &sign, -1);
	result = to_worker(r, TO_WORKER__MSG_SIGNED)->signed_;
	assert_true(result->ok);
	signature = (gnutls_datum_t){ result->data.data, (unsigned)result->data.len };
	gnutls_x509_crt_init(&crt);
	assert_int_equal(gnutls_load_file(r->cert, &pem), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM), 0);
	assert_in_range(conf->host[0]->chain[0]->certs->len, 1, pem.size);
	gnutls_free(pem.data);
	gnutls_pubkey_init(&pub);
	assert_int_equal(gnutls_pubkey_import_x509(pub, crt, 0), 0);
	assert_true(gnutls_pubkey_verify_data2(pub, GNUTLS_SIGN_ECDSA_SHA256, 0, &data,
					       &signature) >= 0);
	gnutls_pubkey_deinit(pub);
	gnutls_x509_crt_deinit(crt);
}

/* What a worker of GENERATION gets for new TLS session tickets beside a signature; NULL: none. */
static const TicketKey *ticket_key(struct rig *r, uint64_t generation, const char *vhost)
{
	Sign sign = SIGN__INIT;
	const Signed *result;

	sign.vhost = (char *)(uintptr_t) "default";
	sign.ticket_vhost = (char *)(uintptr_t)vhost;
	sign.op = SIGN_OP__SIGN_DATA;
	sign.algorithm = GNUTLS_SIGN_ECDSA_SHA256;
	sign.data = (ProtobufCBinaryData){ 4, (uint8_t *)(uintptr_t) "data" };
	sign.generation = generation;
	to_auth(r->worker, TO_AUTH__MSG_SIGN, &sign, -1);
	result = to_worker(r, TO_WORKER__MSG_SIGNED)->signed_;
	return result->ticket;
}

static void ask_ticket(struct rig *r, uint64_t generation)
{
	TicketFind find = TICKET_FIND__INIT;

	find.vhost = (char *)(uintptr_t) "default";
	find.generation = generation;
	find.name = (ProtobufCBinaryData){ 16, (uint8_t *)(uintptr_t) "nobody's ticket!" };
	to_auth(r->worker, TO_AUTH__MSG_TICKET_FIND, &find, -1);
}

static const TicketKey *find_ticket(struct rig *r, uint64_t generation)
{
	ask_ticket(r, generation);
	return to_worker(r, TO_WORKER__MSG_TICKET_KEY)->ticket_key;
}

static void key_for_tickets_comes_with_the_signature(void **state)
{
	const TicketKey *key = ticket_key(*state, 1, "default");

	assert_non_null(key);
	assert_int_equal(key->key.len, 64);
	assert_int_equal(key->lifetime, 300);
	assert_null(ticket_key(*state, 1, ""));
	assert_null(ticket_key(*state, 1, "unknown.example"));
}

static void unknown_ticket_gets_the_key_for_new_ones(void **state)
{
	const TicketKey *key = ticket_key(*state, 1, "default"), *found = find_ticket(*state, 1);

	assert_int_equal(found->key.len, 64);
	assert_memory_equal(found->key.data, key->key.data, 64);
}

static void other_addresses_and_configurations_have_other_keys(void **state)
{
	struct rig *r = *state;
	const TicketKey *key = ticket_key(r, 1, "default"), *other;

	move_client(r, 99);
	other = ticket_key(r, 1, "default");
	assert_memory_not_equal(other->key.data, key->key.data, 64);
	move_client(r, 7);
	other = ticket_key(r, 1, "default");
	assert_memory_equal(other->key.data, key->key.data, 64);
	assert_true(send_conf(r, 2)->ok);
	assert_null(ticket_key(r, 1, "default"));
	assert_int_equal(find_ticket(r, 1)->key.len, 0);
	other = ticket_key(r, 2, "default");
	assert_memory_not_equal(other->key.data, key->key.data, 64);
}

static void client_of_a_proxy_has_no_key_before_it_is_known(void **state)
{
	struct rig *r = *state;
	WorkerGone gone = WORKER_GONE__INIT;
	const TicketKey *key, *found;

	gone.worker_id = 1;
	to_auth(r->main, TO_AUTH__MSG_WORKER_GONE, &gone, -1);
	close(r->worker);
	close(r->worker_far);
	send_worker(r, true);
	/* Other channels are read in any order: the question waits, a signature does not. */
	ask_ticket(r, 1);
	assert_null(ticket_key(r, 1, "default"));
	move_client(r, 99);
	found = to_worker(r, TO_WORKER__MSG_TICKET_KEY)->ticket_key;
	key = ticket_key(r, 1, "default");
	assert_non_null(key);
	assert_int_equal(found->key.len, 64);
	assert_memory_equal(found->key.data, key->key.data, 64);
}

static void hosts_that_ask_for_certificates_have_no_keys(void **state)
{
	struct rig *r = *state;

	snprintf(r->extra, sizeof r->extra,
		 "enable-auth = certificate\ncert-user-oid = 2.5.4.3\nca-cert = %s\n", r->cert);
	assert_true(send_conf(r, 2)->ok);
	assert_null(ticket_key(r, 2, "default"));
	assert_int_equal(find_ticket(r, 2)->key.len, 0);
}

/* Puts TEXT into the file of user alice and makes auth read such files. */
static void use_user_file(struct rig *r, const char *text)
{
	char path[PATH_LEN];

	snprintf(path, sizeof path, "%s/alice", r->dir);
	write_file(path, text, strlen(text));
	snprintf(r->extra, sizeof r->extra, "config-per-user = %s\n", r->dir);
	assert_true(send_conf(r, 2)->ok);
}

static void drop_user_file(struct rig *r)
{
	char path[PATH_LEN];

	snprintf(path, sizeof path, "%s/alice", r->dir);
	unlink(path);
}

static void rows_of_the_user_file_go_to_main(void **state)
{
	struct rig *r = *state;
	const SessionOpen *open;

	use_user_file(r, "mtu = 1300\nsession-timeout = 100\n");
	open_tunnel(r, &login(r)->cookie);
	open = to_main(r, TO_MAIN__MSG_SESSION_OPEN)->session_open;
	assert_int_equal(open->n_row, 2);
	assert_string_equal(open->row[0]->name, "mtu");
	assert_string_equal(open->row[0]->value, "1300");
	assert_int_equal(open->deadline, open->session->started + 100);
	drop_user_file(r);
}

static void bad_user_file_refuses_the_tunnel(void **state)
{
	struct rig *r = *state;
	const LoginTicket *ticket;

	use_user_file(r, "route = nonsense\n");
	ticket = login(r);
	open_tunnel(r, &ticket->cookie);
	assert_int_equal(to_worker(r, TO_WORKER__MSG_OPEN_REFUSED)->open_refused->status, 401);
	drop_user_file(r);
	/* Repaired: the same cookie works. */
	open_tunnel(r, &ticket->cookie);
	to_main(r, TO_MAIN__MSG_SESSION_OPEN);
}

static void roaming_cookie_is_refused_where_that_is_configured(void **state)
{
	struct rig *r = *state;
	const LoginTicket *ticket = login(r);

	move_client(r, 99);
	open_tunnel(r, &ticket->cookie);
	to_main(r, TO_MAIN__MSG_SESSION_OPEN);
	strcpy(r->extra, "deny-roaming = true\n");
	assert_true(send_conf(r, 2)->ok);
	open_tunnel(r, &ticket->cookie);
	to_worker(r, TO_WORKER__MSG_OPEN_REFUSED);
	move_client(r, 7);
	open_tunnel(r, &ticket->cookie);
	to_main(r, TO_MAIN__MSG_SESSION_OPEN);
}

static void flooding_worker_is_cut_off(void **state)
{
	struct rig *r = *state;
	Sign sign = SIGN__INIT;
	struct pollfd p = { .fd = r->worker, .events = POLLIN };
	unsigned answers = 0;
	char c[4096];

	sign.vhost = (char *)(uintptr_t) "nowhere";
	for (int i = 0; i < 100; i++)
		to_auth(r->worker, TO_AUTH__MSG_SIGN, &sign, -1);
	while (poll(&p, 1, PATIENCE_MS) == 1 && recv(r->worker, c, sizeof c, 0) > 0)
		answers++;
	assert_true(answers >= 60 && answers < 90);
}

static void unknown_key_is_not_signed_with(void **state)
{
	struct rig *r = *state;
	Sign sign = SIGN__INIT;

	sign.vhost = (char *)(uintptr_t) "default";
	sign.key = 7;
	to_auth(r->worker, TO_AUTH__MSG_SIGN, &sign, -1);
	assert_false(to_worker(r, TO_WORKER__MSG_SIGNED)->signed_->ok);
}

static void bad_configuration_is_reported_and_the_old_one_serves(void **state)
{
	struct rig *r = *state;
	const ConfResult *result;

	unlink(r->key);
	result = send_conf(r, 4);
	assert_false(result->ok);
	assert_int_equal(result->n_error, 1);
	assert_non_null(strstr(result->error[0], "cannot open file"));
	login(r);
}

static void worker_that_sends_garbage_is_cut_off_alone(void **state)
{
	struct rig *r = *state;
	struct pollfd p = { .fd = r->worker, .events = POLLIN };
	ListSessions list = LIST_SESSIONS__INIT;
	char c;

	to_auth(r->worker, TO_AUTH__MSG_LIST_SESSIONS, &list, -1);
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_int_equal(recv(r->worker, &c, 1, 0), 0);
	assert_true(send_conf(r, 5)->ok);
}

static void list_shows_sessions_and_logins(void **state)
{
	struct rig *r = *state;
	ListSessions list = LIST_SESSIONS__INIT;
	const SessionList *result;

	login(r);
	step(r, STEP_KIND__STEP_INIT, NULL, NULL, NULL);
	list.request = 9;
	to_auth(r->main, TO_AUTH__MSG_LIST_SESSIONS, &list, -1);
	result = to_main(r, TO_MAIN__MSG_SESSION_LIST)->session_list;
	assert_int_equal(result->request, 9);
	assert_int_equal(result->n_session, 2);
	assert_string_equal(result->session[0]->state, "authenticated");
	assert_string_equal(result->session[1]->state, "pre-auth");
}

static void terminated_session_is_gone(void **state)
{
	struct rig *r = *state;
	const LoginTicket *ticket = login(r);
	Invalidate kill_it = INVALIDATE__INIT;

	kill_it.user = (char *)(uintptr_t) "alice";
	to_auth(r->main, TO_AUTH__MSG_INVALIDATE, &kill_it, -1);
	assert_int_equal(to_main(r, TO_MAIN__MSG_INVALIDATE_RESULT)->invalidate_result->n_sid, 1);
	to_main(r, TO_MAIN__MSG_SESSION_EXPIRED);
	open_tunnel(r, &ticket->cookie);
	to_worker(r, TO_WORKER__MSG_OPEN_REFUSED);
}

static int run_check(int fd)
{
	int status;
	pid_t pid = fork();
	char arg[32];

	if (pid == 0) {
		snprintf(arg, sizeof arg, "--conf-fd=%d", dup(fd));
		execl(BUILDDIR "/auth/sallyport-auth", "sallyport-auth", "--check", arg,
		      (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void check_mode_tells_by_its_status(void **state)
{
	struct rig *r = *state;
	int fd = conf_fd(r);

	assert_int_equal(run_check(fd), 0);
	unlink(r->cert);
	assert_int_equal(run_check(fd), 1);
	close(fd);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(first_form_asks_for_name_password_and_group),
		CASE(ticket_opens_a_tunnel),
		CASE(wrong_cookie_is_refused),
		CASE(logged_out_cookie_is_dead),
		CASE(cookie_of_a_locked_user_is_dead),
		CASE(users_nobody_can_ask_about_may_come_back),
		CASE(third_wrong_password_ends_the_login),
		CASE(session_survives_a_crash),
		CASE(login_with_a_context_from_before_a_crash_still_works),
		CASE(crashed_runner_fails_one_login_only),
		CASE(signature_verifies_with_the_chain),
		CASE(key_for_tickets_comes_with_the_signature),
		CASE(unknown_ticket_gets_the_key_for_new_ones),
		CASE(other_addresses_and_configurations_have_other_keys),
		CASE(client_of_a_proxy_has_no_key_before_it_is_known),
		CASE(hosts_that_ask_for_certificates_have_no_keys),
		CASE(rows_of_the_user_file_go_to_main),
		CASE(bad_user_file_refuses_the_tunnel),
		CASE(roaming_cookie_is_refused_where_that_is_configured),
		CASE(flooding_worker_is_cut_off),
		CASE(unknown_key_is_not_signed_with),
		CASE(bad_configuration_is_reported_and_the_old_one_serves),
		CASE(worker_that_sends_garbage_is_cut_off_alone),
		CASE(list_shows_sessions_and_logins),
		CASE(terminated_session_is_gone),
		CASE(check_mode_tells_by_its_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
