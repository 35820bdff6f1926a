/* test_auth_logins.c - the login dialogue with a clock, backends and a main process of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "auth/logins.h"
#include "base/log.h"

enum { LIFETIME = 300, POINTS = 10, TEXT = 600, WORKER = 5 };

/* Copies of what the dialogue did last. */
struct rig {
	TALLOC_CTX *ctx;
	struct logins *logins;
	struct login_policy policy;
	struct login_method method[3];
	int64_t now;
	/* the job that waits for its verdict */
	runner_done_fn *done;
	void *done_arg;
	struct runner_job *job;
	char asked_user[TEXT], asked_answer[TEXT], asked_state[TEXT];
	bool asked_has_answer, asked_groups, asked_moot, asked_even;
	const struct auth_backend *asked;
	char logged[TEXT]; /* the last line */
	struct runner_talk **talk;
	unsigned jobs;
	/* the last answer */
	unsigned answers;
	uint64_t answered;
	StepResult__ResultCase kind;
	uint8_t context[LOGIN_CONTEXT];
	size_t context_len, n_input, n_group;
	char message[TEXT], error[TEXT], id[TEXT], input[TEXT], label[TEXT], reason[TEXT],
		detail[TEXT];
	char group[4][TEXT], selected[TEXT], invitation[TEXT], ticket_group[TEXT];
	bool fallback, not_begun;
	uint8_t nonce[32], failed_address;
	/* what main and the store were told */
	unsigned failures, points, finals, grants;
	char granted_user[TEXT], granted_group[TEXT], granted_by[TEXT], granted_row[TEXT];
};

/* ---- the outside ---------------------------------------------------------- */

static const struct login_policy *ops_policy(void *arg, const char *vhost)
{
	struct rig *r = arg;

	return strcmp(vhost, r->policy.vhost) == 0 ? &r->policy : NULL;
}

static int64_t ops_now(void *arg)
{
	return ((struct rig *)arg)->now;
}

static enum err ops_run(void *arg, TALLOC_CTX *owner, const struct runner_call *call,
			runner_done_fn *done, void *done_arg, struct runner_job **job)
{
	struct rig *r = arg;
	const struct backend_input *in = call->input;

	r->jobs++;
	r->done = done;
	r->done_arg = done_arg;
	r->asked_groups = !in;
	r->talk = call->talk;
	r->asked = call->backend;
	r->asked_even = call->even;
	if (in) {
		str_copy(r->asked_user, TEXT, in->user);
		str_copy(r->asked_answer, TEXT, in->answer ? in->answer : "");
		memcpy(r->asked_state, in->state ? (const char *)in->state : "", in->state_len);
		r->asked_state[in->state_len] = '\0';
		r->asked_has_answer = in->answer != NULL;
		r->asked_moot = in->moot;
	}
	/* Only its address matters: freeing it cancels. */
	r->job = *job = (struct runner_job *)(void *)talloc_strdup(owner, "job");
	return ERR_OK;
}

static void take_form(struct rig *r, const Form *f)
{
	r->n_input = f->n_input;
	r->n_group = f->n_group;
	str_copy(r->message, TEXT, f->message);
	str_copy(r->error, TEXT, f->error);
	str_copy(r->id, TEXT, f->id);
	str_copy(r->selected, TEXT, f->selected);
	if (f->n_input) {
		str_copy(r->input, TEXT, f->input[f->n_input - 1]->name);
		str_copy(r->label, TEXT, f->input[f->n_input - 1]->label);
	}
	for (size_t i = 0; i < f->n_group && i < 4; i++)
		str_copy(r->group[i], TEXT, f->group[i]->value);
}

static void ops_answer(void *arg, uint64_t worker, const StepResult *result)
{
	struct rig *r = arg;

	r->answers++;
	r->answered = worker;
	r->kind = result->result_case;
	r->context_len = result->context.len;
	if (r->context_len)
		memcpy(r->context, result->context.data, r->context_len);
	if (r->kind == STEP_RESULT__RESULT_FORM) {
		take_form(r, result->form);
	} else if (r->kind == STEP_RESULT__RESULT_DENIED) {
		str_copy(r->reason, TEXT, result->denied->reason);
		str_copy(r->detail, TEXT, result->denied->detail);
		str_copy(r->invitation, TEXT, result->denied->www_authenticate);
		r->fallback = result->denied->fallback;
	} else if (r->kind == STEP_RESULT__RESULT_SECOND_CERT) {
		assert_int_equal(result->second_cert.len, sizeof r->nonce);
		memcpy(r->nonce, result->second_cert.data, sizeof r->nonce);
	} else if (r->kind == STEP_RESULT__RESULT_TICKET) {
		str_copy(r->ticket_group, TEXT, result->ticket->group);
		str_copy(r->invitation, TEXT, result->ticket->www_authenticate);
		assert_int_equal(result->ticket->cookie.len, TICKET_COOKIE);
	}
}

/* Whether a runner has begun is up to the test. */
static bool ops_abandon(void *arg, struct runner_job *job, TALLOC_CTX *owner, runner_done_fn *done,
			void *done_arg)
{
	struct rig *r = arg;

	if (r->not_begun) {
		talloc_free(job);
		return false;
	}
	talloc_steal(owner, job);
	r->done = done;
	r->done_arg = done_arg;
	return true;
}

static void ops_failed(void *arg, uint64_t worker, const struct endpoint *remote, const char *user,
		       uint32_t points, bool final)
{
	struct rig *r = arg;

	(void)worker;
	(void)user;
	r->failed_address = remote->addr.bytes[0];
	r->failures++;
	r->points += points;
	r->finals += final;
}

static enum err ops_grant(void *arg, const struct login_grant *grant)
{
	struct rig *r = arg;

	r->grants++;
	str_copy(r->granted_user, TEXT, grant->session.user);
	str_copy(r->granted_group, TEXT, grant->session.group);
	str_copy(r->granted_by, TEXT, grant->session.backend);
	str_copy(r->granted_row, TEXT, grant->session.n_rows ? grant->session.row[0].value : "");
	return ERR_OK;
}

static const struct logins_ops ops = { .policy = ops_policy,
				       .now = ops_now,
				       .run = ops_run,
				       .abandon = ops_abandon,
				       .answer = ops_answer,
				       .failed = ops_failed,
				       .grant = ops_grant };

static const struct auth_backend password = {
	.name = "plain", .front = FRONT_FORM, .knows_groups = true, .tries = 3, .lists_groups = true
};
static const struct auth_backend once = { .name = "pam", .front = FRONT_FORM, .tries = 1 };
static const struct auth_backend negotiate = { .name = "gssapi",
					       .front = FRONT_HTTP,
					       .scheme = "Negotiate",
					       .scheme_by_invitation = true,
					       .knows_groups = true,
					       .tries = 3 };
static const struct auth_backend bearer = {
	.name = "oidc", .front = FRONT_HTTP, .scheme = "Bearer", .tries = 3
};

/* Asks for codes behind another method. */
static const struct auth_backend codes = { .name = "plain", .front = FRONT_FORM, .tries = 3 };

static void note_line(void *arg, enum log_level level, const char *line)
{
	struct rig *r = arg;

	(void)level;
	str_copy(r->logged, TEXT, line);
}

static int setup(void **state)
{
	static const struct group_entry groups[] = { { "staff", "Staff" },
						     { "guests", "Guest network" } };
	struct rig *r = talloc_zero(NULL, struct rig);

	r->ctx = r;
	r->now = 1000;
	r->method[0].factor[0].backend = &password;
	r->policy = (struct login_policy){ .vhost = "default",
					   .method = r->method,
					   .n_methods = 1,
					   .groups = { groups, 2, NULL },
					   .lifetime = LIFETIME,
					   .points = POINTS };
	assert_int_equal(logins_new(r, &ops, r, &r->logins), ERR_OK);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	talloc_free(*state);
	return 0;
}

/* ---- steps ---------------------------------------------------------------- */

static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

struct said {
	StepKind kind;
	const char *user, *answer, *name; /* name of the input; NULL: password */
	const char *group, *url, *authorization, *cert;
	const char *cert_group[2];
	const char *second; /* user of the second certificate; "!": it is bad, "?": unchecked */
	bool http, no_context, bad_cert, multiple;
	uint64_t worker;
	uint8_t address;
};

static void say(struct rig *r, struct said s)
{
	Step msg = STEP__INIT;
	SecondCert second = SECOND_CERT__INIT;
	Answer answer = ANSWER__INIT, *list[] = { &answer };
	struct login_peer peer = { .worker = s.worker ? s.worker : WORKER };
	char *cert_groups[] = { text(s.cert_group[0]), text(s.cert_group[1]) };

	peer.remote.addr.family = AF_INET;
	peer.remote.addr.bytes[0] = s.address;
	msg.kind = s.kind;
	msg.vhost = text("default");
	msg.has_username = s.user != NULL;
	msg.username = text(s.user ? s.user : "");
	msg.group = text(s.group ? s.group : "");
	msg.group_url = text(s.url ? s.url : "");
	msg.authorization = text(s.authorization ? s.authorization : "");
	msg.http_auth = s.http;
	msg.cert_ok = s.cert != NULL;
	msg.cert_bad = s.bad_cert;
	msg.capabilities = s.multiple ? 8 : 0;
	if (s.second) {
		second.checked = *s.second != '?';
		second.good = *s.second != '!';
		second.user = text(s.second);
		msg.second = &second;
	}
	msg.cert_user = text(s.cert ? s.cert : "");
	msg.cert_group = cert_groups;
	msg.n_cert_group = (size_t)(s.cert_group[0] != NULL) + (s.cert_group[1] != NULL);
	if (!s.no_context)
		msg.context = (ProtobufCBinaryData){ r->context_len, r->context };
	if (s.answer) {
		answer.name = text(s.name ? s.name : "password");
		answer.value = text(s.answer);
		msg.answer = list;
		msg.n_answer = 1;
	}
	logins_step(r->logins, &peer, &msg);
}

#define INIT(...)  say(r, (struct said){ .kind = STEP_KIND__STEP_INIT, __VA_ARGS__ })
#define REPLY(...) say(r, (struct said){ .kind = STEP_KIND__STEP_REPLY, __VA_ARGS__ })

/* The runner answers; its job is gone by then. */
static void verdict(struct rig *r, struct verdict v)
{
	if (!v.reason)
		v.reason = "";
	talloc_free(r->job);
	r->job = NULL;
	r->done(r->done_arg, ERR_OK, &v);
}

static void verdict_accept(struct rig *r, const char *group0, const char *group1)
{
	char *names[] = { text(group0), text(group1) };
	struct verdict v = { .kind = VERDICT_ACCEPT };

	v.groups = (struct strv){ names, (size_t)(group0 != NULL) + (group1 != NULL) };
	verdict(r, v);
}

/* A question of a runner that now belongs to the login. */
static void question(struct rig *r, const char *words)
{
	*r->talk = (struct runner_talk *)(void *)talloc_strdup(talloc_parent(r->job), "talk");
	verdict(r, (struct verdict){ .kind = VERDICT_PROMPT, .text = words });
}

#define REJECT()     verdict(r, (struct verdict){ .kind = VERDICT_REJECT })
#define CHALLENGE(t) verdict(r, (struct verdict){ .kind = VERDICT_CHALLENGE, .text = (t) })
#define IS_FORM()    assert_int_equal(r->kind, STEP_RESULT__RESULT_FORM)
#define IS_TICKET()  assert_int_equal(r->kind, STEP_RESULT__RESULT_TICKET)
#define IS_DENIED(why)                                                                             \
	do {                                                                                       \
		assert_int_equal(r->kind, STEP_RESULT__RESULT_DENIED);                             \
		assert_string_equal(r->reason, why);                                               \
	} while (0)

/* ---- passwords ------------------------------------------------------------ */

static void first_form_has_both_inputs_and_the_groups(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	IS_FORM();
	assert_string_equal(r->message, "Please enter your username and password.");
	assert_string_equal(r->id, "main");
	assert_int_equal(r->n_input, 2);
	assert_int_equal(r->n_group, 2);
	assert_string_equal(r->selected, "");
	assert_int_equal(r->jobs, 0);
}

static void right_password_gives_a_ticket_with_the_first_group(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	assert_string_equal(r->asked_user, "ann");
	assert_string_equal(r->asked_answer, "pw");
	verdict_accept(r, "ops", "staff");
	IS_TICKET();
	assert_int_equal(r->context_len, 0);
	assert_string_equal(r->granted_group, "ops");
	assert_int_equal(r->failures, 0);
}

static void name_alone_leads_to_the_password_form(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "ann");
	IS_FORM();
	assert_int_equal(r->n_input, 1);
	assert_string_equal(r->input, "password");
	assert_string_equal(r->message, "Please enter your password.");
	REPLY(.answer = "pw");
	assert_string_equal(r->asked_user, "ann");
}

static void empty_password_is_an_answer(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "");
	assert_int_equal(r->jobs, 1);
	assert_true(r->asked_has_answer);
}

static void missing_password_ends_the_login(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "ann");
	REPLY(.user = NULL);
	IS_DENIED("No password");
	assert_int_equal(r->points, 0);
	assert_int_equal(r->finals, 1);
}

static void missing_name_shows_the_form_again(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.answer = "pw");
	IS_FORM();
	assert_int_equal(r->n_input, 2);
	assert_int_equal(r->jobs, 0);
}

static void wrong_password_asks_again_and_the_right_one_succeeds(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "bad");
	REJECT();
	IS_FORM();
	assert_string_equal(r->message, "Login failed.\nPlease enter your password.");
	assert_string_equal(r->error, "Login failed.");
	assert_int_equal(r->n_input, 1);
	assert_int_equal(r->points, POINTS);
	REPLY(.answer = "pw");
	verdict_accept(r, NULL, NULL);
	IS_TICKET();
	assert_string_equal(r->granted_group, "");
}

static void name_may_be_corrected_after_a_failure(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "amn", .answer = "pw");
	REJECT();
	REPLY(.user = "ann", .answer = "pw");
	assert_string_equal(r->asked_user, "ann");
}

static void third_failure_ends_the_login(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	for (int i = 0; i < 3; i++) {
		IS_FORM();
		REPLY(.user = "ann", .answer = "bad");
		REJECT();
	}
	IS_DENIED("Authentication failed");
	assert_int_equal(r->context_len, 0);
	assert_int_equal(r->failures, 3);
	assert_int_equal(r->finals, 1);
}

static void new_init_keeps_the_failure_count(void **state)
{
	struct rig *r = *state;

	for (int i = 0; i < 3; i++) {
		INIT(.user = NULL);
		REPLY(.user = "ann", .answer = "bad");
		REJECT();
	}
	IS_DENIED("Authentication failed");
}

static void hanging_up_while_the_password_is_checked_counts(void **state)
{
	struct rig *r = *state;

	for (int i = 0; i < 3; i++) {
		INIT(.user = NULL);
		REPLY(.user = "ann", .answer = "guess");
		assert_non_null(r->job);
	}
	INIT(.user = NULL);
	IS_DENIED("Authentication failed");
}

static void backend_with_one_try_ends_at_the_first_failure(void **state)
{
	struct rig *r = *state;

	r->method[0].factor[0].backend = &once;
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "bad");
	REJECT();
	IS_DENIED("Authentication failed");
}

static void broken_backend_is_an_internal_error_without_points(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	verdict(r, (struct verdict){ .kind = VERDICT_ERROR, .reason = "disk" });
	IS_DENIED("Internal error");
	assert_int_equal(r->points, 0);
}

/* What comes first in lines of logs and in the environment of scripts must not begin others. */
static void names_with_control_characters_are_refused(void **state)
{
	struct rig *r = *state;

	REPLY(.user = "ann\nroot", .answer = "pw");
	verdict_accept(r, NULL, NULL);
	IS_FORM();
	REPLY(.user = "ann", .answer = "pw");
	verdict(r, (struct verdict){ .kind = VERDICT_ACCEPT, .user = "ann\xc2\x9b[2J" });
	IS_FORM();
	REPLY(.user = "ann", .answer = "pw");
	verdict_accept(r,
		       "sta\x7f"
		       "ff",
		       NULL);
	assert_int_equal(r->grants, 0);
}

static void overlong_user_name_of_a_backend_is_refused(void **state)
{
	struct rig *r = *state;
	char name[BACKEND_NAME_MAX + 2];

	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	verdict(r, (struct verdict){ .kind = VERDICT_ACCEPT, .user = name });
	IS_FORM();
	assert_int_equal(r->grants, 0);
}

/* ---- contexts ------------------------------------------------------------- */

static void login_goes_on_over_another_connection(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "ann");
	logins_worker_gone(r->logins, WORKER);
	REPLY(.answer = "pw", .worker = 6);
	assert_string_equal(r->asked_user, "ann");
	verdict_accept(r, NULL, NULL);
	assert_int_equal(r->answered, 6);
}

static void connection_names_its_login_without_a_cookie(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "ann", .no_context = true);
	REPLY(.answer = "pw", .no_context = true);
	assert_string_equal(r->asked_user, "ann");
}

static void context_is_worth_nothing_elsewhere(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "ann");
	REPLY(.answer = "pw", .worker = 6, .address = 9);
	IS_FORM();
	assert_int_equal(r->n_input, 2);
	assert_int_equal(r->jobs, 0);
}

/* Whether the newest context is known to a client at ADDRESS, cut to LEN bytes. */
static bool knows(struct rig *r, const char *vhost, uint8_t address, size_t len)
{
	const ProtobufCBinaryData context = { len, r->context };
	struct login_peer peer = { .worker = 77 };

	peer.remote.addr.family = AF_INET;
	peer.remote.addr.bytes[0] = address;
	return logins_know(r->logins, &peer, vhost, &context);
}

static void context_is_known_while_its_login_lasts(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL, .address = 3);
	assert_true(knows(r, "default", 3, LOGIN_CONTEXT));
	assert_false(knows(r, "default", 4, LOGIN_CONTEXT));
	assert_false(knows(r, "other", 3, LOGIN_CONTEXT));
	assert_false(knows(r, "default", 3, LOGIN_CONTEXT - 1));
	assert_false(knows(r, "default", 3, 0));
	r->now += LIFETIME;
	assert_false(knows(r, "default", 3, LOGIN_CONTEXT));
	r->now -= LIFETIME;
	r->context[5] ^= 1;
	assert_false(knows(r, "default", 3, LOGIN_CONTEXT));
}

static void login_dies_with_its_time(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	r->now += LIFETIME;
	logins_expire(r->logins);
	IS_DENIED("Authentication failed");
	REPLY(.answer = "pw");
	IS_FORM();
}

static void unread_answer_of_a_lost_worker_is_not_sent(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	logins_worker_gone(r->logins, WORKER);
	assert_int_equal(r->answers, 1);
}

static void hanging_up_does_not_make_guessing_free(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL, .address = 7);
	REPLY(.user = "ann", .answer = "pw", .address = 7);
	logins_worker_gone(r->logins, WORKER);
	assert_int_equal(r->points, 0);
	REJECT();
	assert_int_equal(r->points, POINTS);
	assert_int_equal(r->failed_address, 7);
	assert_int_equal(r->answers, 1);
}

static void hanging_up_on_a_right_or_unanswered_question_is_free(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	logins_worker_gone(r->logins, WORKER);
	verdict_accept(r, NULL, NULL);
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	logins_worker_gone(r->logins, WORKER);
	talloc_free(r->job);
	r->job = NULL;
	r->done(r->done_arg, ERR_TIMEOUT, NULL);
	r->not_begun = true;
	r->context_len = 0;
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	logins_worker_gone(r->logins, WORKER);
	assert_int_equal(r->points, 0);
	assert_int_equal(r->grants, 0);
}

static void reply_without_any_login_is_a_whole_login(void **state)
{
	struct rig *r = *state;

	REPLY(.user = "ann", .answer = "pw");
	verdict_accept(r, NULL, NULL);
	IS_TICKET();
}

static void endless_dialogue_is_ended(void **state)
{
	struct rig *r = *state;

	for (int i = 0; i < 64; i++)
		INIT(.user = NULL);
	IS_FORM();
	INIT(.user = NULL);
	IS_DENIED("Authentication failed");
}

/* ---- challenges ----------------------------------------------------------- */

static void challenges_are_numbered_by_their_text(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	verdict(r, (struct verdict){ .kind = VERDICT_CHALLENGE,
				     .text = "Code 1",
				     .state = (const uint8_t *)"xyz",
				     .state_len = 3 });
	IS_FORM();
	assert_string_equal(r->id, "challenge");
	assert_string_equal(r->message, "Code 1");
	assert_string_equal(r->input, "secondary_password");
	assert_string_equal(r->label, "Password1:");
	REPLY(.answer = "1", .name = "secondary_password");
	assert_string_equal(r->asked_state, "xyz");
	assert_string_equal(r->asked_answer, "1");
	CHALLENGE("Code 2");
	assert_string_equal(r->label, "Password2:");
	assert_int_equal(r->points, 0);
	REPLY(.answer = "2");
	CHALLENGE("Code 2");
	assert_string_equal(r->label, "Password2:");
	assert_int_equal(r->points, POINTS);
	REPLY(.answer = "3");
	verdict_accept(r, NULL, NULL);
	IS_TICKET();
}

static void rejection_after_a_challenge_is_final(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	CHALLENGE("Code");
	REPLY(.answer = "1");
	REJECT();
	IS_DENIED("Authentication failed");
}

static void seventeenth_challenge_ends_the_login(void **state)
{
	struct rig *r = *state;
	char question[8] = "Code A";

	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	for (int i = 0; i < 16; i++, question[5]++) {
		CHALLENGE(question);
		IS_FORM();
		REPLY(.answer = "1");
	}
	assert_int_equal(r->points, 0);
	CHALLENGE(question);
	IS_DENIED("Authentication failed");
}

static void conversation_goes_on_with_its_runner(void **state)
{
	struct rig *r = *state;
	const struct runner_talk *talk;

	r->method[0].factor[0].backend = &once;
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	question(r, "Code:");
	talk = *r->talk;
	REPLY(.answer = "123", .name = "secondary_password");
	assert_ptr_equal(*r->talk, talk);
	assert_string_equal(r->asked_answer, "123");
	*r->talk = NULL;
	verdict_accept(r, NULL, NULL);
	IS_TICKET();
}

static void lost_conversation_ends_the_login(void **state)
{
	struct rig *r = *state;
	unsigned jobs;

	r->method[0].factor[0].backend = &once;
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	question(r, "Code:");
	jobs = r->jobs;
	TALLOC_FREE(*r->talk);
	REPLY(.answer = "123", .name = "secondary_password");
	assert_int_equal(r->jobs, jobs);
	IS_DENIED("Authentication failed");
}

static void new_beginning_ends_the_conversation(void **state)
{
	struct rig *r = *state;

	r->method[0].factor[0].backend = &once;
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	question(r, "Code:");
	INIT(.user = NULL);
	IS_FORM();
	assert_null(*r->talk);
	REPLY(.user = "ann", .answer = "pw");
	assert_string_equal(r->asked_answer, "pw");
}

static void refusal_says_what_the_backend_has_to_say(void **state)
{
	struct rig *r = *state;

	r->method[0].factor[0].backend = &once;
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	verdict(r, (struct verdict){ .kind = VERDICT_REJECT, .text = "Too late.\nGo home." });
	IS_DENIED("Authentication failed");
	assert_string_equal(r->detail, "Too late. Go home.");
}

static void name_is_fixed_once_a_challenge_was_asked(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	CHALLENGE("Code");
	REPLY(.user = "root", .answer = "1");
	assert_string_equal(r->asked_user, "ann");
}

/* ---- groups --------------------------------------------------------------- */

static void label_selects_its_group(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw", .group = "Guest network");
	verdict_accept(r, "staff", "guests");
	IS_TICKET();
	assert_string_equal(r->granted_group, "guests");
}

static void selected_group_comes_first_in_the_next_form(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	INIT(.group = "guests");
	assert_string_equal(r->selected, "guests");
	assert_string_equal(r->group[0], "guests");
	assert_string_equal(r->group[1], "staff");
	REPLY(.user = "ann", .answer = "pw");
	verdict_accept(r, "staff", "guests");
	assert_string_equal(r->granted_group, "guests");
}

static void group_without_membership_fails_like_a_wrong_password(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw", .group = "guests");
	verdict_accept(r, "staff", NULL);
	IS_FORM();
	assert_string_equal(r->error, "Login failed.");
	assert_int_equal(r->points, POINTS);
	assert_int_equal(r->grants, 0);
}

static void nobody_is_in_a_group_of_a_backend_without_groups(void **state)
{
	struct rig *r = *state;

	r->method[0].factor[0].backend = &once;
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw", .group = "staff");
	verdict_accept(r, NULL, NULL);
	assert_int_equal(r->grants, 0);
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	verdict_accept(r, NULL, NULL);
	assert_int_equal(r->grants, 1);
	assert_string_equal(r->granted_group, "");
}

static void groups_beside_such_a_backend_are_those_of_the_certificate(void **state)
{
	struct rig *r = *state;

	r->method[0].factor[0].backend = &once;
	r->method[0].certificate = true;
	INIT(.cert = "ann", .cert_group = { "guests" });
	REPLY(.cert = "ann", .cert_group = { "guests" }, .answer = "pw", .group = "staff");
	verdict_accept(r, NULL, NULL);
	assert_int_equal(r->grants, 0);
	INIT(.cert = "ann", .cert_group = { "guests" });
	REPLY(.cert = "ann", .cert_group = { "guests" }, .answer = "pw", .group = "guests");
	verdict_accept(r, NULL, NULL);
	assert_string_equal(r->granted_group, "guests");
}

static void unlisted_group_is_not_echoed_but_a_member_gets_it(void **state)
{
	struct rig *r = *state;

	INIT(.group = "hidden");
	assert_int_equal(r->n_group, 2);
	assert_string_equal(r->selected, "");
	REPLY(.user = "ann", .answer = "pw");
	verdict_accept(r, "staff", "hidden");
	assert_string_equal(r->granted_group, "hidden");
}

static void default_entry_means_no_group(void **state)
{
	struct rig *r = *state;

	r->policy.groups.none = "(none)";
	INIT(.user = NULL);
	assert_int_equal(r->n_group, 3);
	assert_string_equal(r->group[0], "(none)");
	REPLY(.user = "ann", .answer = "pw", .group = "(none)");
	verdict_accept(r, "staff", NULL);
	IS_TICKET();
	assert_string_equal(r->granted_group, "");
}

static void url_forces_its_group(void **state)
{
	struct rig *r = *state;

	r->policy.group_by_url = true;
	INIT(.url = "/guests/");
	assert_int_equal(r->n_group, 0);
	REPLY(.user = "ann", .answer = "pw", .group = "staff");
	verdict_accept(r, "staff", "guests");
	assert_string_equal(r->granted_group, "guests");
}

static void unknown_url_forces_nothing(void **state)
{
	struct rig *r = *state;

	r->policy.group_by_url = true;
	INIT(.url = "/nowhere");
	assert_int_equal(r->n_group, 2);
}

static void url_means_nothing_unless_configured(void **state)
{
	struct rig *r = *state;

	INIT(.url = "/guests");
	assert_int_equal(r->n_group, 2);
	assert_string_equal(r->selected, "");
}

static void groups_of_the_backend_are_offered_when_asked_for(void **state)
{
	struct rig *r = *state;

	r->policy.auto_groups = true;
	INIT(.user = NULL);
	assert_true(r->asked_groups);
	assert_int_equal(r->answers, 0);
	verdict_accept(r, "one", "two");
	IS_FORM();
	assert_int_equal(r->n_group, 2);
	assert_string_equal(r->group[1], "two");
	assert_int_equal(r->grants, 0);
}

/* ---- certificates --------------------------------------------------------- */

static void password_and_certificate_must_name_the_same_user(void **state)
{
	struct rig *r = *state;

	r->method[0].certificate = true;
	INIT(.cert = "ann");
	IS_FORM();
	REPLY(.user = "bob", .answer = "pw", .cert = "ann");
	verdict_accept(r, NULL, NULL);
	IS_FORM();
	assert_int_equal(r->grants, 0);
	REPLY(.user = "ann", .answer = "pw", .cert = "ann");
	verdict_accept(r, NULL, NULL);
	IS_TICKET();
}

static void certificate_supplies_a_missing_name(void **state)
{
	struct rig *r = *state;

	r->method[0].certificate = true;
	INIT(.cert = "ann");
	REPLY(.answer = "pw", .cert = "ann");
	assert_string_equal(r->asked_user, "ann");
}

static void missing_certificate_ends_the_login(void **state)
{
	struct rig *r = *state;

	r->method[0].certificate = true;
	INIT(.user = NULL);
	IS_DENIED("No certificate");
}

static void missing_method_lets_nobody_in(void **state)
{
	struct rig *r = *state;

	r->method[0].missing = true;
	INIT(.user = NULL);
	IS_DENIED("Authentication failed");
}

static void certificate_must_be_shown_at_every_step(void **state)
{
	struct rig *r = *state;

	r->method[0].certificate = true;
	INIT(.cert = "ann");
	REPLY(.user = "ann", .answer = "pw");
	IS_DENIED("No certificate");
}

static void certificate_without_a_name_is_refused(void **state)
{
	struct rig *r = *state;

	r->method[0] = (struct login_method){ .certificate = true };
	INIT(.cert = "");
	IS_DENIED("Could not read certificate");
}

/* compat-checklist 60 */
static void bad_certificate_is_refused_even_with_the_right_password(void **state)
{
	struct rig *r = *state;

	r->method[1] = (struct login_method){ .certificate = true };
	r->policy.n_methods = 2;
	INIT(.bad_cert = true);
	IS_DENIED("No certificate");
	INIT(.user = NULL);
	IS_FORM();
	REPLY(.user = "ann", .answer = "pw", .bad_cert = true);
	IS_DENIED("No certificate");
	assert_int_equal(r->jobs, 0);
}

static void bad_certificate_nobody_asked_for_does_no_harm(void **state)
{
	struct rig *r = *state;

	INIT(.bad_cert = true);
	IS_FORM();
}

#define IS_REQUEST() assert_int_equal(r->kind, STEP_RESULT__RESULT_SECOND_CERT)

static void two_certificates(struct rig *r)
{
	r->method[0] = (struct login_method){ .certificate = true };
	r->policy.second_cert = true;
}

static void second_certificate_names_the_user(void **state)
{
	struct rig *r = *state;
	uint8_t nonce[sizeof r->nonce];

	two_certificates(r);
	INIT(.cert = "laptop", .multiple = true);
	IS_REQUEST();
	memcpy(nonce, r->nonce, sizeof nonce);
	REPLY(.cert = "laptop", .second = "?", .worker = 6);
	IS_REQUEST();
	assert_memory_equal(nonce, r->nonce, sizeof nonce);
	REPLY(.cert = "laptop", .second = "ann", .worker = 6);
	IS_TICKET();
	assert_string_equal(r->granted_user, "ann");
}

static void every_request_for_a_certificate_has_another_number(void **state)
{
	struct rig *r = *state;
	uint8_t nonce[sizeof r->nonce];

	two_certificates(r);
	INIT(.cert = "laptop", .multiple = true);
	memcpy(nonce, r->nonce, sizeof nonce);
	INIT(.cert = "laptop", .multiple = true);
	IS_REQUEST();
	assert_memory_not_equal(nonce, r->nonce, sizeof nonce);
	REPLY(.cert = "laptop", .second = "!");
	IS_DENIED("No certificate");
	assert_int_equal(r->finals, 1);
}

static void second_certificate_nobody_asked_for_counts_for_nothing(void **state)
{
	struct rig *r = *state;

	two_certificates(r);
	REPLY(.cert = "laptop", .second = "ann", .multiple = true);
	IS_REQUEST();
	assert_int_equal(r->grants, 0);
}

static void client_without_a_second_certificate_is_refused(void **state)
{
	struct rig *r = *state;

	two_certificates(r);
	INIT(.cert = "laptop");
	IS_DENIED("No certificate");
	INIT(.user = NULL, .multiple = true);
	IS_DENIED("No certificate");
}

static void second_certificate_does_not_move_to_another_machine(void **state)
{
	struct rig *r = *state;

	two_certificates(r);
	r->method[0].factor[0].backend = &password;
	INIT(.cert = "laptop", .multiple = true);
	REPLY(.cert = "laptop", .second = "ann", .multiple = true);
	IS_FORM();
	REPLY(.cert = "phone", .user = "ann", .answer = "pw", .multiple = true);
	IS_REQUEST();
	assert_int_equal(r->jobs, 0);
	REPLY(.cert = "phone", .second = "ann", .multiple = true);
	IS_FORM();
	REPLY(.cert = "phone", .user = "bob", .answer = "pw");
	verdict_accept(r, NULL, NULL);
	IS_FORM();
	REPLY(.cert = "phone", .user = "ann", .answer = "pw");
	verdict_accept(r, NULL, NULL);
	IS_TICKET();
}

static void certificate_alone_with_one_listed_group_asks_nothing(void **state)
{
	struct rig *r = *state;

	r->method[0] = (struct login_method){ .certificate = true };
	INIT(.cert = "ann", .cert_group = { "other", "staff" });
	IS_TICKET();
	assert_string_equal(r->granted_group, "staff");
}

static void certificate_with_several_groups_asks_for_one(void **state)
{
	struct rig *r = *state;

	r->method[0] = (struct login_method){ .certificate = true };
	INIT(.cert = "ann", .cert_group = { "guests", "staff" });
	IS_FORM();
	assert_string_equal(r->message, "Please select your group.");
	assert_int_equal(r->n_input, 0);
	REPLY(.cert = "ann", .cert_group = { "guests", "staff" }, .group = "guests");
	IS_TICKET();
	assert_string_equal(r->granted_group, "guests");
}

static void certificate_outside_the_selected_group_is_refused(void **state)
{
	struct rig *r = *state;

	r->method[0] = (struct login_method){ .certificate = true };
	INIT(.cert = "ann", .cert_group = { "guests" }, .group = "staff");
	IS_DENIED("Authentication failed");
}

static void certificate_of_unlisted_groups_is_not_assigned_silently(void **state)
{
	struct rig *r = *state;

	r->method[0] = (struct login_method){ .certificate = true };
	INIT(.cert = "ann", .cert_group = { "hidden" });
	IS_FORM();
	assert_int_equal(r->n_group, 3);
	REPLY(.cert = "ann", .cert_group = { "hidden" }, .group = "hidden");
	IS_TICKET();
}

static void certificate_as_alternative_spares_the_password(void **state)
{
	struct rig *r = *state;

	r->method[1] = (struct login_method){ .certificate = true };
	r->policy.n_methods = 2;
	INIT(.cert = "ann");
	IS_TICKET();
	INIT(.no_context = true);
	IS_FORM();
}

/* ---- HTTP authentication -------------------------------------------------- */

static void negotiation_is_offered_to_those_who_can_and_others_get_the_form(void **state)
{
	struct rig *r = *state;

	r->method[1].factor[0].backend = &negotiate;
	r->policy.n_methods = 2;
	INIT(.http = true);
	IS_DENIED("Unauthorized");
	assert_string_equal(r->invitation, "Negotiate");
	assert_true(r->fallback);
	assert_int_equal(r->failures, 0);
	INIT(.user = NULL);
	IS_FORM();
}

static void negotiated_user_gets_a_ticket(void **state)
{
	struct rig *r = *state;

	r->method[0].factor[0].backend = &negotiate;
	INIT(.http = true, .authorization = "Negotiate abc");
	assert_false(r->asked_has_answer);
	verdict(r, (struct verdict){ .kind = VERDICT_HTTP, .text = "Negotiate def" });
	assert_string_equal(r->invitation, "Negotiate def");
	INIT(.http = true, .authorization = "Negotiate ghi");
	verdict(r, (struct verdict){ .kind = VERDICT_ACCEPT, .user = "ann" });
	IS_TICKET();
	assert_string_equal(r->granted_user, "ann");
}

static void success_carries_the_last_word_of_a_negotiation_only(void **state)
{
	struct rig *r = *state;

	r->method[0].factor[0].backend = &negotiate;
	INIT(.http = true, .authorization = "Negotiate abc");
	verdict(r,
		(struct verdict){ .kind = VERDICT_ACCEPT, .user = "ann", .text = "Negotiate end" });
	IS_TICKET();
	assert_string_equal(r->invitation, "Negotiate end");
	r->method[0].factor[0].backend = &password;
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	verdict(r, (struct verdict){ .kind = VERDICT_ACCEPT, .text = "Welcome" });
	IS_TICKET();
	assert_string_equal(r->invitation, "");
}

static void list_of_groups_is_there_before_a_ticket_is_looked_at(void **state)
{
	struct rig *r = *state;
	char *names[] = { text("guests"), text("staff") };

	r->policy.auto_groups = true;
	r->policy.group_by_url = true;
	r->method[0].factor[0].backend = &negotiate;
	r->method[1].factor[0].backend = &password; /* who has a list */
	r->policy.n_methods = 2;
	INIT(.http = true, .url = "/staff");
	assert_int_equal(r->jobs, 0);
	INIT(.http = true, .url = "/staff", .authorization = "Negotiate abc");
	assert_true(r->asked_groups);
	verdict(r, (struct verdict){ .kind = VERDICT_ACCEPT, .groups = { names, 2 } });
	assert_false(r->asked_groups);
	verdict(r,
		(struct verdict){ .kind = VERDICT_ACCEPT, .user = "ann", .groups = { names, 2 } });
	IS_TICKET();
	assert_string_equal(r->granted_group, "staff");
}

static void refused_ticket_leaves_the_form_as_a_way_in(void **state)
{
	struct rig *r = *state;

	r->method[1].factor[0].backend = &negotiate;
	r->policy.n_methods = 2;
	INIT(.http = true, .authorization = "Negotiate abc");
	REJECT();
	assert_string_equal(r->invitation, "Negotiate");
	assert_true(r->fallback);
	assert_int_equal(r->points, POINTS);
	INIT(.user = NULL);
	IS_FORM();
	REPLY(.user = "ann", .answer = "pw");
	verdict_accept(r, "staff", NULL);
	IS_TICKET();
	assert_int_equal(r->finals, 0);
}

static void refused_ticket_is_the_end_where_nothing_else_is_left(void **state)
{
	struct rig *r = *state;

	r->method[0].factor[0].backend = &negotiate;
	INIT(.http = true, .authorization = "Negotiate abc");
	REJECT();
	IS_DENIED("Authentication failed");
	assert_string_equal(r->invitation, "");
	assert_int_equal(r->finals, 1);
}

static void client_that_does_not_negotiate_is_refused_where_nothing_else_is_left(void **state)
{
	struct rig *r = *state;

	r->method[0].factor[0].backend = &negotiate;
	INIT(.user = NULL);
	IS_DENIED("Authentication failed");
	assert_string_equal(r->invitation, "");
	assert_int_equal(r->points, 0);
}

static void ticket_and_certificate_of_one_method_name_the_same_user(void **state)
{
	struct rig *r = *state;

	r->method[0].factor[0].backend = &negotiate;
	r->method[0].certificate = true;
	INIT(.http = true, .authorization = "Negotiate abc");
	IS_DENIED("No certificate");
	INIT(.http = true, .authorization = "Negotiate abc", .cert = "bob");
	verdict(r, (struct verdict){ .kind = VERDICT_ACCEPT, .user = "ann" });
	IS_DENIED("Authentication failed");
	INIT(.http = true, .authorization = "Negotiate abc", .cert = "ann");
	verdict(r, (struct verdict){ .kind = VERDICT_ACCEPT, .user = "ann" });
	IS_TICKET();
}

static void certificate_that_is_enough_is_not_asked_to_negotiate(void **state)
{
	struct rig *r = *state;

	r->method[0].factor[0].backend = NULL;
	r->method[0].certificate = true;
	r->method[1].factor[0].backend = &negotiate;
	r->policy.n_methods = 2;
	INIT(.http = true, .cert = "ann");
	IS_TICKET();
	INIT(.http = true);
	assert_string_equal(r->invitation, "Negotiate");
	assert_false(r->fallback);
}

static void bearer_is_asked_for_when_there_is_nothing_else(void **state)
{
	struct rig *r = *state;

	r->method[0].factor[0].backend = &bearer;
	INIT(.user = NULL);
	assert_string_equal(r->invitation, "Bearer");
	assert_false(r->fallback);
	r->method[1].factor[0].backend = &password;
	r->policy.n_methods = 2;
	INIT(.user = NULL);
	IS_FORM();
}

static void bearer_goes_before_a_form_for_clients_that_can_send_one(void **state)
{
	struct rig *r = *state;

	r->method[1].factor[0].backend = &bearer;
	r->policy.n_methods = 2;
	INIT(.user = NULL);
	IS_FORM();
	INIT(.http = true);
	assert_string_equal(r->invitation, "Bearer");
	assert_true(r->fallback);
	INIT(.authorization = "Bearer abc");
	verdict(r, (struct verdict){ .kind = VERDICT_ACCEPT, .user = "ann" });
	IS_TICKET();
	assert_string_equal(r->granted_user, "ann");
}

static void scheme_of_the_header_chooses_among_http_methods(void **state)
{
	struct rig *r = *state;

	r->method[0].factor[0].backend = &negotiate;
	r->method[1].factor[0].backend = &bearer;
	r->policy.n_methods = 2;
	INIT(.http = true);
	assert_string_equal(r->invitation, "Negotiate");
	INIT(.http = true, .authorization = "Bearer abc");
	verdict(r, (struct verdict){ .kind = VERDICT_ACCEPT, .user = "ann" });
	IS_TICKET();
}

/* ---- two factors ---------------------------------------------------------- */

#define WANT_CODE "Please enter your OTP password."

/* The second factor has been asked without an answer and asks the client. */
static void code_is_asked_for(struct rig *r)
{
	assert_ptr_equal(r->asked, &codes);
	assert_false(r->asked_has_answer);
	assert_string_equal(r->asked_state, "");
	verdict(r, (struct verdict){ .kind = VERDICT_PROMPT,
				     .text = WANT_CODE,
				     .state = (const uint8_t *)"g",
				     .state_len = 1 });
	IS_FORM();
	assert_string_equal(r->message, WANT_CODE);
	assert_string_equal(r->input, "secondary_password");
	assert_string_equal(r->id, "main");
	assert_int_equal(r->n_group, 0);
}

static void two_factors(struct rig *r, const struct auth_backend *first)
{
	r->method[0].factor[0].backend = first;
	r->method[0].factor[1].backend = &codes;
}

static void both_factors_are_asked_and_the_first_says_who_it_is(void **state)
{
	struct rig *r = *state;
	char *names[] = { text("staff") };
	struct backend_pair row = { "route", "10.0.0.0/8" };

	two_factors(r, &password);
	INIT(.user = NULL);
	REPLY(.user = "Ann", .answer = "pw");
	assert_ptr_equal(r->asked, &password);
	verdict(r, (struct verdict){ .kind = VERDICT_ACCEPT,
				     .user = "ann",
				     .groups = { names, 1 },
				     .rows = { &row, 1 } });
	assert_int_equal(r->grants, 0);
	assert_false(r->asked_moot);
	code_is_asked_for(r);
	assert_string_equal(r->label, "Password1:");
	REPLY(.answer = "123456", .name = "secondary_password");
	assert_string_equal(r->asked_user, "ann");
	assert_string_equal(r->asked_answer, "123456");
	assert_string_equal(r->asked_state, "g");
	verdict(r, (struct verdict){ .kind = VERDICT_ACCEPT, .user = "root" });
	IS_TICKET();
	assert_string_equal(r->granted_user, "ann");
	assert_string_equal(r->granted_group, "staff");
	assert_string_equal(r->granted_row, "10.0.0.0/8");
	assert_int_equal(r->failures, 0);
}

static void wrong_password_is_told_after_the_code(void **state)
{
	const struct log_sink sink = {
		.write = note_line, .arg = *state, .max = LOG_LVL_NOTICE, .process = "test"
	};
	struct rig *r = *state;

	log_set_sink(&sink);
	two_factors(r, &password);
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "bad");
	verdict(r, (struct verdict){ .kind = VERDICT_REJECT, .text = "No.", .reason = "code 3" });
	assert_true(r->asked_moot);
	assert_int_equal(r->failures, 0);
	code_is_asked_for(r);
	REPLY(.answer = "123456");
	assert_true(r->asked_moot);
	verdict(r, (struct verdict){ .kind = VERDICT_REJECT, .reason = "right code" });
	IS_DENIED("Authentication failed");
	assert_string_equal(r->detail, "");
	assert_int_equal(r->points, POINTS);
	assert_int_equal(r->finals, 1);
	assert_non_null(strstr(r->logged, "plain-auth: error authenticating user 'ann' "
					  "(code 3, right code)"));
	log_set_sink(NULL);
}

static void wrong_code_ends_the_login_like_a_wrong_password(void **state)
{
	struct rig *r = *state;

	two_factors(r, &password);
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	verdict_accept(r, "staff", NULL);
	code_is_asked_for(r);
	REPLY(.answer = "000000");
	REJECT();
	IS_DENIED("Authentication failed");
	assert_string_equal(r->detail, "");
	assert_int_equal(r->points, POINTS);
	assert_int_equal(r->finals, 1);
}

static void code_that_a_backend_accepts_after_a_wrong_password_is_no_way_in(void **state)
{
	struct rig *r = *state;

	two_factors(r, &password);
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "bad");
	REJECT();
	code_is_asked_for(r);
	REPLY(.answer = "123456");
	verdict_accept(r, "staff", NULL);
	IS_DENIED("Authentication failed");
	assert_int_equal(r->grants, 0);
}

static void refusal_after_a_challenge_goes_on_to_the_code_too(void **state)
{
	struct rig *r = *state;

	for (int good = 0; good < 2; good++) {
		two_factors(r, &once);
		INIT(.user = NULL);
		REPLY(.user = "ann", .answer = "pw");
		CHALLENGE("Token?");
		REPLY(.answer = "1");
		verdict(r, (struct verdict){ .kind = good ? VERDICT_ACCEPT : VERDICT_REJECT });
		code_is_asked_for(r);
		assert_string_equal(r->label, "Password2:");
		REPLY(.answer = "123456");
		assert_int_equal(r->asked_moot, !good);
		verdict(r, (struct verdict){ .kind = good ? VERDICT_ACCEPT : VERDICT_REJECT });
	}
	IS_TICKET();
	assert_int_equal(r->points, POINTS);
}

static void question_in_the_words_of_the_one_before_is_another(void **state)
{
	struct rig *r = *state;

	two_factors(r, &password);
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	verdict(r, (struct verdict){ .kind = VERDICT_PROMPT, .text = WANT_CODE });
	REPLY(.answer = "1");
	verdict_accept(r, NULL, NULL);
	code_is_asked_for(r);
	assert_string_equal(r->label, "Password2:");
	assert_int_equal(r->points, 0);
}

static void conversation_ends_with_its_factor(void **state)
{
	struct rig *r = *state;

	two_factors(r, &once);
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	question(r, "Word?");
	REPLY(.answer = "1");
	*r->talk = NULL;
	verdict_accept(r, NULL, NULL);
	code_is_asked_for(r);
	REPLY(.answer = "123456");
	verdict_accept(r, NULL, NULL);
	IS_TICKET();
	assert_string_equal(r->granted_by, "pam");
}

static void name_is_fixed_once_the_first_factor_has_spoken(void **state)
{
	struct rig *r = *state;

	two_factors(r, &password);
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	verdict_accept(r, NULL, NULL);
	/* Before the question is out, which drops the job that asks it. */
	REPLY(.user = "root", .answer = "123456");
	assert_ptr_equal(r->asked, &codes);
	assert_string_equal(r->asked_user, "ann");
	verdict(r, (struct verdict){ .kind = VERDICT_PROMPT, .text = WANT_CODE });
	REPLY(.user = "root", .answer = "123456");
	assert_string_equal(r->asked_user, "ann");
}

static void new_beginning_starts_with_the_first_factor(void **state)
{
	struct rig *r = *state;

	two_factors(r, &password);
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "bad");
	REJECT();
	code_is_asked_for(r);
	INIT(.user = NULL);
	IS_FORM();
	assert_int_equal(r->n_input, 2);
	REPLY(.user = "ann", .answer = "pw");
	assert_ptr_equal(r->asked, &password);
	assert_false(r->asked_moot);
	verdict_accept(r, NULL, NULL);
	code_is_asked_for(r);
	REPLY(.answer = "123456");
	verdict_accept(r, NULL, NULL);
	IS_TICKET();
}

static void leaving_before_the_code_costs_the_same_for_a_right_password(void **state)
{
	struct rig *r = *state;

	two_factors(r, &password);
	for (unsigned good = 0; good < 2; good++) {
		r->points = 0;
		INIT(.user = NULL, .no_context = true);
		REPLY(.user = "ann", .answer = "pw");
		assert_true(r->asked_even);
		verdict(r, (struct verdict){ .kind = good ? VERDICT_ACCEPT : VERDICT_REJECT });
		code_is_asked_for(r);
		assert_false(r->asked_even);
		assert_int_equal(r->points, 0);
		INIT(.user = NULL);
		assert_int_equal(r->points, POINTS);
		REPLY(.user = "ann", .answer = "pw");
		verdict(r, (struct verdict){ .kind = good ? VERDICT_ACCEPT : VERDICT_REJECT });
		code_is_asked_for(r);
		r->now += LIFETIME;
		logins_expire(r->logins);
		assert_int_equal(r->points, 2 * POINTS);
		/* And before the form is there. */
		INIT(.user = NULL);
		REPLY(.user = "ann", .answer = "pw");
		logins_worker_gone(r->logins, WORKER);
		verdict(r, (struct verdict){ .kind = good ? VERDICT_ACCEPT : VERDICT_REJECT });
		assert_int_equal(r->points, 3 * POINTS);
		r->now += LIFETIME;
		logins_expire(r->logins);
		assert_int_equal(r->points, 3 * POINTS);
	}
}

static void beginning_anew_behind_the_password_is_a_try(void **state)
{
	struct rig *r = *state;

	two_factors(r, &password);
	for (int i = 0; i < 3; i++) {
		INIT(.user = NULL);
		REPLY(.user = "ann", .answer = "pw");
		verdict_accept(r, NULL, NULL);
		code_is_asked_for(r);
	}
	INIT(.user = NULL);
	INIT(.user = NULL);
	IS_DENIED("Authentication failed");
}

static void no_code_is_used_for_a_foreign_group_or_certificate(void **state)
{
	struct rig *r = *state;

	two_factors(r, &password);
	r->method[0].certificate = true;
	for (int foreign = 0; foreign < 2; foreign++) {
		const char *cert = foreign ? "bob" : "ann", *group = foreign ? "" : "guests";

		INIT(.cert = cert);
		REPLY(.user = "ann", .answer = "pw", .cert = cert, .group = group);
		verdict_accept(r, "staff", NULL);
		assert_true(r->asked_moot);
		code_is_asked_for(r);
		REPLY(.answer = "123456", .cert = cert);
		assert_true(r->asked_moot);
		REJECT();
		IS_DENIED("Authentication failed");
	}
	assert_int_equal(r->points, 2 * POINTS);
}

static void certificate_counts_until_the_end(void **state)
{
	struct rig *r = *state;

	two_factors(r, &password);
	r->method[0].certificate = true;
	INIT(.cert = "ann");
	REPLY(.user = "ann", .answer = "pw", .cert = "ann");
	verdict_accept(r, NULL, NULL);
	code_is_asked_for(r);
	REPLY(.answer = "123456", .cert = "bob");
	verdict_accept(r, NULL, NULL);
	IS_DENIED("Authentication failed");
	assert_int_equal(r->grants, 0);
}

static void ticket_or_token_comes_before_the_code(void **state)
{
	struct rig *r = *state;

	for (int good = 0; good < 2; good++) {
		two_factors(r, &negotiate);
		INIT(.http = true);
		assert_string_equal(r->invitation, "Negotiate");
		INIT(.http = true, .authorization = "Negotiate abc");
		if (good)
			verdict(r, (struct verdict){ .kind = VERDICT_ACCEPT,
						     .user = "ann",
						     .text = "Negotiate proof" });
		else
			REJECT();
		code_is_asked_for(r);
		REPLY(.answer = "123456", .http = true, .authorization = "Negotiate abc");
		assert_string_equal(r->asked_user, good ? "ann" : "");
		verdict(r, (struct verdict){ .kind = good ? VERDICT_ACCEPT : VERDICT_REJECT });
	}
	IS_TICKET();
	assert_string_equal(r->invitation, "");
	assert_string_equal(r->granted_user, "ann");
	assert_string_equal(r->granted_by, "gssapi");
}

static void broken_second_factor_is_an_internal_error(void **state)
{
	struct rig *r = *state;

	two_factors(r, &password);
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	verdict_accept(r, NULL, NULL);
	verdict(r, (struct verdict){ .kind = VERDICT_ERROR });
	IS_DENIED("Internal error");
	assert_int_equal(r->points, 0);
}

static void method_that_a_reload_took_away_ends_its_logins(void **state)
{
	struct rig *r = *state;

	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	r->policy.n_methods = 0;
	verdict_accept(r, NULL, NULL);
	IS_DENIED("Internal error");
	r->policy.n_methods = 1;
	two_factors(r, &password);
	INIT(.user = NULL);
	REPLY(.user = "ann", .answer = "pw");
	verdict_accept(r, NULL, NULL);
	code_is_asked_for(r);
	REPLY(.answer = "123456");
	r->method[0].factor[1].backend = NULL;
	verdict_accept(r, NULL, NULL);
	IS_DENIED("Internal error");
	assert_int_equal(r->grants, 0);
}

/* It was logged as "(null)". */
static void ticket_without_a_name_is_refused(void **state)
{
	struct rig *r = *state;

	r->method[0].factor[0].backend = &negotiate;
	INIT(.http = true, .authorization = "Negotiate abc", .group = "staff");
	verdict(r, (struct verdict){ .kind = VERDICT_ACCEPT });
	IS_DENIED("Authentication failed");
	assert_int_equal(r->grants, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- limits --------------------------------------------------------------- */

/* LEN bytes of text, which go with the rig. */
static const char *filler(struct rig *r, size_t len)
{
	char *text = talloc_zero_size(r, len + 1);

	memset(text, 'x', len);
	return text;
}

static void texts_beyond_any_honest_length_are_refused_and_not_kept(void **state)
{
	struct rig *r = *state;
	const char *longest = filler(r, 1024), *longer = filler(r, 1025);
	const char *secret = filler(r, 16 * 1024), *longer_secret = filler(r, 16 * 1024 + 1);
	size_t before = talloc_total_size(r->logins);

	REPLY(.user = longer, .answer = "secret");
	IS_DENIED("Authentication failed");
	REPLY(.user = "anna", .answer = "secret", .group = longer);
	IS_DENIED("Authentication failed");
	REPLY(.user = "anna", .answer = longer_secret);
	IS_DENIED("Authentication failed");
	INIT(.url = longer);
	IS_DENIED("Authentication failed");
	INIT(.authorization = longer_secret);
	IS_DENIED("Authentication failed");
	INIT(.cert = longer);
	IS_DENIED("Authentication failed");
	INIT(.cert = "anna", .cert_group = { "staff", longer });
	IS_DENIED("Authentication failed");
	INIT(.second = longer);
	IS_DENIED("Authentication failed");
	assert_int_equal(r->answers, 8);
	assert_int_equal(r->jobs, 0);
	assert_int_equal(talloc_total_size(r->logins), before);

	REPLY(.user = longest, .answer = secret, .group = longest);
	assert_int_equal(r->jobs, 1);
}

/* Only a worker in hostile hands sends so many: each takes a byte or two of its message. */
static void more_groups_than_a_certificate_may_name_are_refused(void **state)
{
	struct rig *r = *state;
	char *names[BACKEND_GROUPS_MAX + 1];
	struct login_peer peer = { .worker = WORKER };
	Step msg = STEP__INIT;

	for (size_t i = 0; i <= BACKEND_GROUPS_MAX; i++)
		names[i] = text("x");
	msg.vhost = text("default");
	msg.cert_ok = true;
	msg.cert_user = text("anna");
	msg.cert_group = names;
	msg.n_cert_group = BACKEND_GROUPS_MAX;
	logins_step(r->logins, &peer, &msg);
	IS_FORM();
	msg.n_cert_group = BACKEND_GROUPS_MAX + 1;
	logins_step(r->logins, &peer, &msg);
	IS_DENIED("Authentication failed");
}

static void authorization_is_forgotten_with_the_answer(void **state)
{
	struct rig *r = *state;
	size_t before;

	INIT();
	before = talloc_total_size(r->logins);
	INIT(.authorization = filler(r, 8000));
	IS_FORM();
	assert_in_range(talloc_total_size(r->logins), 1, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(first_form_has_both_inputs_and_the_groups),
		CASE(right_password_gives_a_ticket_with_the_first_group),
		CASE(name_alone_leads_to_the_password_form),
		CASE(empty_password_is_an_answer),
		CASE(missing_password_ends_the_login),
		CASE(missing_name_shows_the_form_again),
		CASE(wrong_password_asks_again_and_the_right_one_succeeds),
		CASE(name_may_be_corrected_after_a_failure),
		CASE(third_failure_ends_the_login),
		CASE(new_init_keeps_the_failure_count),
		CASE(hanging_up_while_the_password_is_checked_counts),
		CASE(backend_with_one_try_ends_at_the_first_failure),
		CASE(broken_backend_is_an_internal_error_without_points),
		CASE(names_with_control_characters_are_refused),
		CASE(overlong_user_name_of_a_backend_is_refused),
		CASE(login_goes_on_over_another_connection),
		CASE(connection_names_its_login_without_a_cookie),
		CASE(context_is_worth_nothing_elsewhere),
		CASE(context_is_known_while_its_login_lasts),
		CASE(login_dies_with_its_time),
		CASE(unread_answer_of_a_lost_worker_is_not_sent),
		CASE(hanging_up_does_not_make_guessing_free),
		CASE(hanging_up_on_a_right_or_unanswered_question_is_free),
		CASE(reply_without_any_login_is_a_whole_login),
		CASE(endless_dialogue_is_ended),
		CASE(challenges_are_numbered_by_their_text),
		CASE(rejection_after_a_challenge_is_final),
		CASE(seventeenth_challenge_ends_the_login),
		CASE(conversation_goes_on_with_its_runner),
		CASE(lost_conversation_ends_the_login),
		CASE(new_beginning_ends_the_conversation),
		CASE(refusal_says_what_the_backend_has_to_say),
		CASE(name_is_fixed_once_a_challenge_was_asked),
		CASE(label_selects_its_group),
		CASE(selected_group_comes_first_in_the_next_form),
		CASE(group_without_membership_fails_like_a_wrong_password),
		CASE(nobody_is_in_a_group_of_a_backend_without_groups),
		CASE(groups_beside_such_a_backend_are_those_of_the_certificate),
		CASE(unlisted_group_is_not_echoed_but_a_member_gets_it),
		CASE(default_entry_means_no_group),
		CASE(url_forces_its_group),
		CASE(unknown_url_forces_nothing),
		CASE(url_means_nothing_unless_configured),
		CASE(groups_of_the_backend_are_offered_when_asked_for),
		CASE(password_and_certificate_must_name_the_same_user),
		CASE(bad_certificate_is_refused_even_with_the_right_password),
		CASE(bad_certificate_nobody_asked_for_does_no_harm),
		CASE(second_certificate_names_the_user),
		CASE(every_request_for_a_certificate_has_another_number),
		CASE(second_certificate_nobody_asked_for_counts_for_nothing),
		CASE(client_without_a_second_certificate_is_refused),
		CASE(second_certificate_does_not_move_to_another_machine),
		CASE(certificate_supplies_a_missing_name),
		CASE(missing_method_lets_nobody_in),
		CASE(missing_certificate_ends_the_login),
		CASE(certificate_must_be_shown_at_every_step),
		CASE(certificate_without_a_name_is_refused),
		CASE(certificate_alone_with_one_listed_group_asks_nothing),
		CASE(certificate_with_several_groups_asks_for_one),
		CASE(certificate_outside_the_selected_group_is_refused),
		CASE(certificate_of_unlisted_groups_is_not_assigned_silently),
		CASE(certificate_as_alternative_spares_the_password),
		CASE(negotiation_is_offered_to_those_who_can_and_others_get_the_form),
		CASE(negotiated_user_gets_a_ticket),
		CASE(success_carries_the_last_word_of_a_negotiation_only),
		CASE(list_of_groups_is_there_before_a_ticket_is_looked_at),
		CASE(refused_ticket_leaves_the_form_as_a_way_in),
		CASE(refused_ticket_is_the_end_where_nothing_else_is_left),
		CASE(client_that_does_not_negotiate_is_refused_where_nothing_else_is_left),
		CASE(ticket_and_certificate_of_one_method_name_the_same_user),
		CASE(certificate_that_is_enough_is_not_asked_to_negotiate),
		CASE(bearer_is_asked_for_when_there_is_nothing_else),
		CASE(bearer_goes_before_a_form_for_clients_that_can_send_one),
		CASE(scheme_of_the_header_chooses_among_http_methods),
		CASE(both_factors_are_asked_and_the_first_says_who_it_is),
		CASE(wrong_password_is_told_after_the_code),
		CASE(wrong_code_ends_the_login_like_a_wrong_password),
		CASE(code_that_a_backend_accepts_after_a_wrong_password_is_no_way_in),
		CASE(refusal_after_a_challenge_goes_on_to_the_code_too),
		CASE(question_in_the_words_of_the_one_before_is_another),
		CASE(conversation_ends_with_its_factor),
		CASE(name_is_fixed_once_the_first_factor_has_spoken),
		CASE(new_beginning_starts_with_the_first_factor),
		CASE(leaving_before_the_code_costs_the_same_for_a_right_password),
		CASE(beginning_anew_behind_the_password_is_a_try),
		CASE(no_code_is_used_for_a_foreign_group_or_certificate),
		CASE(certificate_counts_until_the_end),
		CASE(ticket_or_token_comes_before_the_code),
		CASE(broken_second_factor_is_an_internal_error),
		CASE(method_that_a_reload_took_away_ends_its_logins),
		CASE(ticket_without_a_name_is_refused),
		CASE(texts_beyond_any_honest_length_are_refused_and_not_kept),
		CASE(more_groups_than_a_certificate_may_name_are_refused),
		CASE(authorization_is_forgotten_with_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
