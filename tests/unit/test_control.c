/* test_control.c - the control socket and occtl's client, against a made-up core in a child. */
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
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/client.h"
#include "main/control.h"

enum { USERS = 5000, SESSIONS = 70, MANY_NAMES = 10000, TOO_MANY_NAMES = 20000, EVENTS = 6000 };

/* ---- the core, in the child ---- */

struct core {
	struct ev_loop *loop;
	struct control *control;
	ev_timer late;
	uint64_t late_req;
};

static void core_status(void *arg, uint64_t req)
{
	struct core *c = arg;
	struct control_status s = { .main_pid = 7, .auth_pid = 8, .banned = 3, .rx_bytes = 1 };

	control_reply_status(c->control, req, &s);
	control_done(c->control, req, CTL_RESULT__CTL_OK);
}

static struct control_user user_number(uint32_t i)
{
	return (struct control_user){
		.id = 100 + i,
		.state = CONTROL_CONNECTED,
		.user = "ann",
		.device = "vpns0",
		.v4 = { AF_INET, { 10, 0, (uint8_t)(i >> 8), (uint8_t)i } },
		.user_agent = "Open AnyConnect VPN Agent v9.01-3",
	};
}

/* Somebody who was given N long names. */
static void reply_long(struct core *c, uint64_t req, size_t n)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct control_user u = user_number(0);
	struct strv names = { 0 };

	for (size_t i = 0; i < n; i++)
		if (strv_add(tmp, &names, "a-name-of-forty-characters.department.example"))
			_exit(2);
	u.split_dns = &names;
	control_reply_user(c->control, req, &u);
	control_done(c->control, req, CTL_RESULT__CTL_OK);
	talloc_free(tmp);
}

static void core_users(void *arg, uint64_t req, const struct control_target *t)
{
	struct core *c = arg;
	bool found = false;

	if (t->id >= MANY_NAMES) {
		reply_long(c, req, t->id);
		return;
	}
	for (uint32_t i = 0; i < USERS; i++) {
		struct control_user u = user_number(i);
		if ((t->id && t->id != u.id) || (t->user && strcmp(t->user, u.user) != 0))
			continue;
		control_reply_user(c->control, req, &u);
		found = true;
	}
	control_done(c->control, req, found ? CTL_RESULT__CTL_OK : CTL_RESULT__CTL_NOT_FOUND);
}

/* Auth takes its time. */
static void on_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct core *c = w->data;
	SessionRow row[SESSIONS], *rows[SESSIONS];
	Session s = SESSION__INIT;
	char sid[] = "ndhD0Cgf733dMtj0EEKI1Ts/inY=";

	(void)loop;
	(void)revents;
	s.sid = sid;
	for (size_t i = 0; i < SESSIONS; i++) {
		session_row__init(&row[i]);
		row[i].session = &s;
		row[i].created = (int64_t)i;
		rows[i] = &row[i];
	}
	control_reply_sessions(c->control, c->late_req, rows, SESSIONS);
	control_done(c->control, c->late_req, CTL_RESULT__CTL_OK);
}

static void core_sessions(void *arg, uint64_t req)
{
	struct core *c = arg;

	c->late_req = req;
	c->late.data = c;
	ev_timer_stop(c->loop, &c->late); /* earlier ones are never answered */
	ev_timer_init(&c->late, on_late, 0.05, 0);
	ev_timer_start(c->loop, &c->late);
}

static void core_bans(void *arg, uint64_t req)
{
	struct core *c = arg;
	struct ban_entry e = { .addr = { AF_INET, { 10, 77, 1, 2 } }, .score = 57, .banned = true };

	for (int i = 0; i < 40; i++)
		control_reply_ban(c->control, req, &e);
	control_done(c->control, req, CTL_RESULT__CTL_OK);
}

static void core_disconnect(void *arg, uint64_t req, const struct control_target *t)
{
	struct core *c = arg;
	struct control_user u = user_number(0);

	if (t->id)
		control_event_disconnect(c->control, &u, "user disconnected", 3);
	control_done(c->control, req, t->id ? CTL_RESULT__CTL_OK : CTL_RESULT__CTL_NOT_FOUND);
}

static void core_terminate(void *arg, uint64_t req, const struct control_target *t)
{
	struct core *c = arg;
	char a[] = "abc1", b[] = "abc2", *sids[] = { a, b };

	if (t->sid)
		control_done_sids(c->control, req, CTL_RESULT__CTL_AMBIGUOUS, sids, 2);
	if (t->user && strcmp(t->user, "nobody") != 0)
		control_reply_acted(c->control, req);
	control_done(c->control, req, CTL_RESULT__CTL_NOT_FOUND);
}

static void core_unban(void *arg, uint64_t req, const struct addr *addr)
{
	struct core *c = arg;

	control_done(c->control, req,
		     addr->bytes[0] == 10 ? CTL_RESULT__CTL_OK : CTL_RESULT__CTL_NOT_FOUND);
}

/* In two parts; the second has no head. */
static void core_config(void *arg, uint64_t req, const CtlConfigOf *of)
{
	struct core *c = arg;
	CtlSetting row = CTL_SETTING__INIT, *list[] = { &row };
	CtlConfig msg = CTL_CONFIG__INIT, more = CTL_CONFIG__INIT;

	msg.user = of->user;
	row.option = of->group;
	msg.setting = more.setting = list;
	msg.n_setting = more.n_setting = 1;
	control_reply_config(c->control, req, &msg);
	control_reply_config(c->control, req, &more);
	control_done(c->control, req, CTL_RESULT__CTL_OK);
}

static void core_plain(void *arg, uint64_t req)
{
	struct core *c = arg;

	control_done(c->control, req, CTL_RESULT__CTL_OK);
}

static _Noreturn void run_core(int fd, const char *path)
{
	static const struct control_ops ops = {
		core_status,	core_users, core_sessions, core_bans,  core_disconnect,
		core_terminate, core_unban, core_plain,	   core_plain, core_config,
	};
	struct core core = { .loop = ev_loop_new(0) };

	ev_timer_init(&core.late, on_late, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (control_new(NULL, core.loop, fd, path, &ops, &core, &core.control))
		_exit(1);
	ev_run(core.loop, 0);
	_exit(0);
}

/* ---- the test ---- */

struct fixture {
	char dir[32], path[48];
	pid_t core;
};

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);
	int fd;

	strcpy(f->dir, "/tmp/control.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(chmod(f->dir, 0755), 0);
	snprintf(f->path, sizeof f->path, "%s/socket", f->dir);
	assert_int_equal(control_listen(f->path, (uid_t)-1, (gid_t)-1, &fd), ERR_OK);
	f->core = fork();
	if (f->core == 0)
		run_core(fd, f->path);
	close(fd);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	kill(f->core, SIGKILL);
	waitpid(f->core, NULL, 0);
	unlink(f->path);
	rmdir(f->dir);
	return talloc_free(f);
}

static struct answer *ask(struct fixture *f, CtlRequest__MsgCase kind, void *field)
{
	CtlRequest req = CTL_REQUEST__INIT;
	CtlNothing nothing = CTL_NOTHING__INIT;
	struct answer *a;

	req.msg_case = kind;
	req.users = field ? field : (void *)&nothing;
	assert_int_equal(client_ask(f, f->path, true, &req, &a), ERR_OK);
	return a;
}

static void the_status_arrives(void **state)
{
	const struct answer *a = ask(*state, CTL_REQUEST__MSG_STATUS, NULL);

	assert_int_equal(a->result, CTL_RESULT__CTL_OK);
	assert_int_equal(a->status->main_pid, 7);
	assert_int_equal(a->status->banned, 3);
}

static void thousands_of_users_arrive_in_order(void **state)
{
	CtlWho all = CTL_WHO__INIT, one = CTL_WHO__INIT, nobody = CTL_WHO__INIT;
	const struct answer *a = ask(*state, CTL_REQUEST__MSG_USERS, &all);

	assert_int_equal(a->n_user, USERS);
	for (uint32_t i = 0; i < USERS; i++)
		assert_int_equal(a->user[i]->id, 100 + i);
	assert_string_equal(a->user[300]->ipv4, "10.0.1.44");
	assert_string_equal(a->user[300]->vhost, "default");
	one.id = 100;
	assert_int_equal(ask(*state, CTL_REQUEST__MSG_USERS, &one)->n_user, 1);
	nobody.user = (char[]){ "eve" };
	a = ask(*state, CTL_REQUEST__MSG_USERS, &nobody);
	assert_int_equal(a->n_user, 0);
	assert_int_equal(a->result, CTL_RESULT__CTL_NOT_FOUND);
}

static void a_long_row_arrives_or_the_answer_fails(void **state)
{
	CtlWho who = CTL_WHO__INIT;
	const struct answer *a;

	who.id = MANY_NAMES;
	a = ask(*state, CTL_REQUEST__MSG_USERS, &who);
	assert_int_equal(a->result, CTL_RESULT__CTL_OK);
	assert_int_equal(a->n_user, 1);
	assert_int_equal(a->user[0]->n_split_dns, MANY_NAMES);
	who.id = TOO_MANY_NAMES;
	a = ask(*state, CTL_REQUEST__MSG_USERS, &who);
	assert_int_equal(a->n_user, 0);
	assert_int_equal(a->result, CTL_RESULT__CTL_FAILED);
}

static void an_answer_may_come_later(void **state)
{
	const struct answer *a = ask(*state, CTL_REQUEST__MSG_SESSIONS, NULL);

	assert_int_equal(a->n_session, SESSIONS);
	assert_int_equal(a->session[SESSIONS - 1]->created, SESSIONS - 1);
}

static void bans_and_actions_are_answered(void **state)
{
	uint8_t ip[] = { 10, 0, 0, 1 };
	CtlAddr addr = CTL_ADDR__INIT;
	CtlWho who = CTL_WHO__INIT;
	const struct answer *a = ask(*state, CTL_REQUEST__MSG_BANS, NULL);

	assert_int_equal(a->n_ban, 40);
	assert_string_equal(a->ban[39]->ip, "10.77.1.2");
	addr.addr = (ProtobufCBinaryData){ 4, ip };
	assert_int_equal(ask(*state, CTL_REQUEST__MSG_UNBAN, &addr)->result, CTL_RESULT__CTL_OK);
	ip[0] = 11;
	assert_int_equal(ask(*state, CTL_REQUEST__MSG_UNBAN, &addr)->result,
			 CTL_RESULT__CTL_NOT_FOUND);
	who.sid = (char[]){ "abc" };
	a = ask(*state, CTL_REQUEST__MSG_TERMINATE, &who);
	assert_int_equal(a->result, CTL_RESULT__CTL_AMBIGUOUS);
	assert_int_equal(a->done->n_sid, 2);
	assert_string_equal(a->done->sid[1], "abc2");
}

static void settings_arrive_in_parts(void **state)
{
	CtlConfigOf of = CTL_CONFIG_OF__INIT;
	const struct answer *a;

	of.user = (char[]){ "ann" };
	of.group = (char[]){ "staff" };
	a = ask(*state, CTL_REQUEST__MSG_CONFIG, &of);
	assert_int_equal(a->result, CTL_RESULT__CTL_OK);
	assert_string_equal(a->config->user, "ann");
	assert_int_equal(a->n_setting, 2);
	assert_string_equal(a->setting[1]->option, "staff");
}

static void a_client_that_leaves_early_harms_nobody(void **state)
{
	struct fixture *f = *state;
	CtlNothing nothing = CTL_NOTHING__INIT;
	CtlRequest req = CTL_REQUEST__INIT;
	int fd;

	req.msg_case = CTL_REQUEST__MSG_SESSIONS;
	req.sessions = &nothing;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(client_connect(f->path, true, &fd), ERR_OK);
		assert_int_equal(client_send(fd, &req), ERR_OK);
		close(fd);
	}
	an_answer_may_come_later(state);
}

static void a_malformed_or_second_request_ends_its_client_only(void **state)
{
	struct fixture *f = *state;
	CtlRequest req = CTL_REQUEST__INIT;
	CtlWho nobody = CTL_WHO__INIT;
	CtlReply *reply;
	struct pollfd p = { .events = POLLIN };

	assert_int_equal(client_connect(f->path, true, &p.fd), ERR_OK);
	assert_int_equal(send(p.fd, "\xff\xff\xff", 3, 0), 3);
	assert_int_equal(poll(&p, 1, 2000), 1);
	assert_int_equal(client_read(f, p.fd, &reply), ERR_CLOSED);
	close(p.fd);
	req.msg_case = CTL_REQUEST__MSG_DISCONNECT; /* of nobody in particular */
	req.disconnect = &nobody;
	assert_int_equal(client_connect(f->path, true, &p.fd), ERR_OK);
	assert_int_equal(client_send(p.fd, &req), ERR_OK);
	assert_int_equal(poll(&p, 1, 2000), 1);
	assert_int_equal(client_read(f, p.fd, &reply), ERR_CLOSED);
	close(p.fd);
	the_status_arrives(state);
}

static int listen_to_events(struct fixture *f)
{
	CtlNothing nothing = CTL_NOTHING__INIT;
	CtlRequest req = CTL_REQUEST__INIT;
	int fd;

	req.msg_case = CTL_REQUEST__MSG_EVENTS;
	req.events = &nothing;
	assert_int_equal(client_connect(f->path, true, &fd), ERR_OK);
	assert_int_equal(client_send(fd, &req), ERR_OK);
	ask(f, CTL_REQUEST__MSG_STATUS, NULL); /* by now it is known */
	return fd;
}

static void make_event(struct fixture *f)
{
	CtlWho who = CTL_WHO__INIT;

	who.id = 100;
	talloc_free(ask(f, CTL_REQUEST__MSG_DISCONNECT, &who));
}

static CtlReply *next_reply(struct fixture *f, int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	CtlReply *reply;

	assert_int_equal(poll(&p, 1, 2000), 1);
	assert_int_equal(client_read(f, fd, &reply), ERR_OK);
	return reply;
}

static void only_the_last_listener_hears_events(void **state)
{
	struct fixture *f = *state;
	int first = listen_to_events(f), second;
	struct pollfd p = { first, POLLIN, 0 };
	const CtlReply *reply;

	make_event(f);
	assert_int_equal(next_reply(f, first)->msg_case, CTL_REPLY__MSG_EVENT);
	second = listen_to_events(f);
	assert_int_equal(next_reply(f, first)->msg_case, CTL_REPLY__MSG_DONE);
	make_event(f);
	reply = next_reply(f, second);
	assert_int_equal(reply->msg_case, CTL_REPLY__MSG_EVENT);
	assert_false(reply->event->connected);
	assert_string_equal(reply->event->reason, "user disconnected");
	assert_int_equal(reply->event->user->id, 100);
	assert_int_equal(poll(&p, 1, 50), 0); /* not even the end of the connection */
	close(first);
	close(second);
}

/* It neither blocks the core nor makes it remember more and more. */
static void a_listener_that_does_not_read_is_dropped(void **state)
{
	struct fixture *f = *state;
	int fd = listen_to_events(f);
	CtlReply *reply;
	enum err err;
	unsigned n = 0;

	for (unsigned i = 0; i < EVENTS; i++)
		make_event(f);
	while ((err = client_read(f, fd, &reply)) == ERR_OK)
		n++;
	assert_int_equal(err, ERR_CLOSED);
	assert_in_range(n, 1, EVENTS - 1);
	close(fd);
}

static void silent_clients_hold_up_nobody(void **state)
{
	struct fixture *f = *state;
	int fd[200], listener = listen_to_events(f);

	for (size_t i = 0; i < 200; i++)
		assert_int_equal(client_connect(f->path, true, &fd[i]), ERR_OK);
	the_status_arrives(state);
	make_event(f);
	assert_int_equal(next_reply(f, listener)->msg_case, CTL_REPLY__MSG_EVENT);
	for (size_t i = 0; i < 200; i++)
		close(fd[i]);
	close(listener);
}

static void what_was_done_before_the_answer_counts(void **state)
{
	CtlWho who = CTL_WHO__INIT;

	who.user = (char[]){ "still logging in" };
	assert_int_equal(ask(*state, CTL_REQUEST__MSG_TERMINATE, &who)->result, CTL_RESULT__CTL_OK);
	who.user = (char[]){ "nobody" };
	assert_int_equal(ask(*state, CTL_REQUEST__MSG_TERMINATE, &who)->result,
			 CTL_RESULT__CTL_NOT_FOUND);
}

static void other_users_get_nothing(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		CtlNothing nothing = CTL_NOTHING__INIT;
		CtlRequest req = CTL_REQUEST__INIT;
		struct answer *a;

		req.msg_case = CTL_REQUEST__MSG_STATUS;
		req.status = &nothing;
		if (chmod(f->path, 0777) || setgid(65534) || setuid(65534))
			_exit(9);
		_exit(client_ask(NULL, f->path, true, &req, &a) == ERR_CLOSED ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void the_socket_has_its_mode_and_replaces_a_stale_file(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	char path[64];
	int fd;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
	assert_int_equal(control_listen(f->path, (uid_t)-1, (gid_t)-1, &fd), ERR_BUSY);
	kill(f->core, SIGKILL);
	waitpid(f->core, NULL, 0);
	assert_int_equal(control_listen(f->path, 65534, 65534, &fd), ERR_OK);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_uid, 65534);
	close(fd);
	snprintf(path, sizeof path, "%s/file", f->dir);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(control_listen(path, (uid_t)-1, (gid_t)-1, &fd), ERR_BUSY);
	assert_int_equal(unlink(path), 0);
}

static void an_orderly_stop_removes_the_socket(void **state)
{
	struct fixture *f = *state;
	struct ev_loop *loop = ev_loop_new(0);
	static const struct control_ops ops = { 0 };
	struct control *c;
	struct stat st;
	char path[64];
	int fd;

	snprintf(path, sizeof path, "%s/two", f->dir);
	assert_int_equal(control_listen(path, (uid_t)-1, (gid_t)-1, &fd), ERR_OK);
	assert_int_equal(control_new(f, loop, fd, path, &ops, NULL, &c), ERR_OK);
	assert_false(control_has_listener(c));
	control_unlink(c);
	assert_int_equal(stat(path, &st), -1);
	talloc_free(c);
	ev_loop_destroy(loop);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_status_arrives),
		CASE(thousands_of_users_arrive_in_order),
		CASE(a_long_row_arrives_or_the_answer_fails),
		CASE(an_answer_may_come_later),
		CASE(bans_and_actions_are_answered),
		CASE(settings_arrive_in_parts),
		CASE(a_client_that_leaves_early_harms_nobody),
		CASE(a_malformed_or_second_request_ends_its_client_only),
		CASE(only_the_last_listener_hears_events),
		CASE(a_listener_that_does_not_read_is_dropped),
		CASE(silent_clients_hold_up_nobody),
		CASE(what_was_done_before_the_answer_counts),
		CASE(other_users_get_nothing),
		CASE(the_socket_has_its_mode_and_replaces_a_stale_file),
		CASE(an_orderly_stop_removes_the_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
