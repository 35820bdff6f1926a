/* tokens.c - auth's side of the process that uses tokens.
 *
 *	none -> loading (tokens_open, waits for each answer) -> serving (answers come by the loop)
 *	serving -> none, when it ends or is too slow -> serving (started by the next signature)
 */
#include "auth/tokens.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "auth/spawn.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "ipc/chan.h"

enum {
	LIMIT_MS = 10000, /* for one answer; clients give up after a little more */
	PAUSE_MS = 1000,  /* between two starts: a module that crashes at once costs little */
	JOBS_MAX = 256,
};

struct token_job {
	struct tokens *tokens; /* NULL: gone */
	TokenSign msg;
	Sign sign;
	bool again; /* the process died on it before */
	token_done_fn *done;
	void *arg;
	struct token_job *next, **prev;
};

struct tokens {
	int fd;		    /* of the channel while loading; -1 */
	struct chan *chan;  /* while serving; NULL */
	int process;	    /* pidfd; -1: none */
	TokenOpen **opened; /* what a process that follows has to load */
	size_t n_opened;
	enum err dead; /* why it is not even tried; ERR_OK: it may be */
	uint64_t last_id;
	size_t awaited; /* answers */
	size_t n_jobs;
	uint64_t not_before; /* clock_ms */
	ev_timer limit;
	struct token_job *first;
};

/* ---- the process ---------------------------------------------------------- */

/* Whoever may look into us may look into it. */
static bool is_traceable(void)
{
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1;
}

static enum err start(struct tokens *t)
{
	char name[] = "sallyport-token", channel[] = "--channel=3", traceable[] = "--traceable";
	char *argv[] = { name, channel, is_traceable() ? traceable : NULL, NULL };
	char folder[PATH_MAX];
	int pair[2];
	pid_t pid;
	enum err err = spawn_folder(folder) ? ipc_pair(pair) : ERR_SYS;

	if (err)
		return err;
	t->not_before = clock_ms() + PAUSE_MS;
	err = spawn_program(folder, argv[0], argv, pair[1], &pid);
	close(pair[1]);
	if (err) {
		close(pair[0]);
		return err;
	}
	/* The loop reaps children, and their numbers come again. */
	t->process = (int)syscall(SYS_pidfd_open, pid, 0);
	t->fd = pair[0];
	return ERR_OK;
}

static void stop(struct tokens *t)
{
	if (t->process >= 0) {
		syscall(SYS_pidfd_send_signal, t->process, SIGKILL, NULL, 0);
		close(t->process);
	}
	if (t->fd >= 0)
		close(t->fd);
	t->process = t->fd = -1;
	if (t->chan)
		ev_timer_stop(ev_default_loop(0), &t->limit);
	TALLOC_FREE(t->chan);
	t->awaited = 0;
}

static int tokens_destroy(struct tokens *t)
{
	stop(t);
	for (struct token_job *j = t->first; j; j = j->next)
		j->tokens = NULL;
	return 0;
}

enum err tokens_new(TALLOC_CTX *ctx, struct tokens **out)
{
	struct tokens *t = talloc_zero(ctx, struct tokens);

	if (!t)
		return ERR_NOMEM;
	t->fd = t->process = -1;
	talloc_set_destructor(t, tokens_destroy);
	*out = t;
	return ERR_OK;
}

/* ---- loading -------------------------------------------------------------- */

static char *copy(TALLOC_CTX *ctx, const char *text)
{
	char *out = talloc_strdup(ctx, text ? text : "");

	if (out)
		secret_mark(out);
	return out;
}

static enum err add_open(struct tokens *t, const char *cert, const char *key,
			 const struct privkey_pins *pins, TokenOpen **out)
{
	TokenOpen **all = talloc_realloc(t, t->opened, TokenOpen *, (unsigned)t->n_opened + 1);
	TokenOpen *msg = talloc(t, TokenOpen);

	if (!all || !msg)
		return ERR_NOMEM;
	t->opened = all;
	token_open__init(msg);
	msg->cert = copy(msg, cert);
	msg->key = copy(msg, key);
	msg->has_pin = pins->key != NULL;
	msg->pin = copy(msg, pins->key);
	msg->has_srk_pin = pins->srk != NULL;
	msg->srk_pin = copy(msg, pins->srk);
	if (!msg->cert || !msg->key || !msg->pin || !msg->srk_pin)
		return ERR_NOMEM;
	all[t->n_opened++] = msg;
	*out = msg;
	return ERR_OK;
}

/* Waits until UNTIL (clock_ms) for a message. */
static enum err wait_for(TALLOC_CTX *ctx, int fd, uint64_t until, const FromToken **out)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	ProtobufCMessage *top;
	struct ipc_fds fds;
	enum err err = ERR_AGAIN;

	while (err == ERR_AGAIN) {
		uint64_t now = clock_ms();

		if (now >= until)
			return ERR_TIMEOUT;
		if (poll(&wait, 1, (int)(until - now)) < 0 && errno != EINTR)
			return ERR_SYS;
		err = ipc_recv(ctx, fd, &from_token__descriptor, &top, &fds);
	}
	if (err)
		return err;
	ipc_fds_close(&fds);
	*out = (const FromToken *)(const void *)top;
	return ERR_OK;
}

static enum err ask_open(TALLOC_CTX *ctx, struct tokens *t, TokenOpen *msg,
			 const TokenOpened **answer)
{
	ToToken top = TO_TOKEN__INIT;
	const FromToken *reply = NULL;
	enum err err = t->fd >= 0 ? ERR_OK : start(t);

	msg->id = ++t->last_id;
	top.msg_case = TO_TOKEN__MSG_OPEN;
	top.open = msg;
	if (!err)
		err = ipc_send(t->fd, &top.base, NULL, 0);
	if (!err)
		err = wait_for(ctx, t->fd, clock_ms() + LIMIT_MS, &reply);
	if (!err && (reply->msg_case != FROM_TOKEN__MSG_OPENED || reply->opened->id != msg->id))
		err = ERR_PROTO;
	if (err)
		return err;
	*answer = reply->opened;
	return ERR_OK;
}

enum err tokens_open(TALLOC_CTX *ctx, struct tokens *t, const char *cert, const char *key,
		     const struct privkey_pins *pins, const TokenOpened **answer, uint32_t *number)
{
	TokenOpen *msg;
	enum err err = t->dead;

	if (!err)
		err = add_open(t, cert, key, pins, &msg);
	if (!err)
		err = ask_open(ctx, t, msg, answer);
	if (!err && (*answer)->pin_refused)
		t->dead = ERR_DENIED;
	/* The next key would wait as long. */
	if (err)
		t->dead = err;
	*number = (uint32_t)t->n_opened - 1;
	return err;
}

/* ---- jobs ----------------------------------------------------------------- */

static int job_destroy(struct token_job *j)
{
	if (!j->tokens)
		return 0;
	*j->prev = j->next;
	if (j->next)
		j->next->prev = j->prev;
	j->tokens->n_jobs--;
	return 0;
}

/* J is freed first, because the callback may free its owner. */
static void finish(struct token_job *j, enum err err, const uint8_t *data, size_t len)
{
	token_done_fn *done = j->done;
	void *arg = j->arg;

	talloc_free(j);
	done(arg, err, data, len);
}

/* ---- serving -------------------------------------------------------------- */

static enum err hand_over(struct tokens *t, ToToken__MsgCase kind, void *field)
{
	ToToken top = TO_TOKEN__INIT;
	enum err err;

	top.msg_case = kind;
	top.open = field; /* all members of the union are pointers to messages */
	err = chan_send(t->chan, &top.base, NULL, 0);
	if (err)
		return err;
	if (!t->awaited++)
		ev_timer_again(ev_default_loop(0), &t->limit);
	return ERR_OK;
}

static void on_limit(struct ev_loop *loop, ev_timer *w, int revents);
static void on_message(void *arg, struct chan *chan, const ProtobufCMessage *top,
		       struct ipc_fds *fds);
static void on_closed(void *arg, struct chan *chan, enum err why);

static enum err attach(struct tokens *t)
{
	static const struct chan_ops ops = { on_message, on_closed };
	int fd = t->fd;

	t->fd = -1;
	ev_timer_init(&t->limit, on_limit, 0, LIMIT_MS / 1000.0);
	t->limit.data = t;
	return chan_new(t, ev_default_loop(0), fd, &from_token__descriptor, &ops, t, &t->chan);
}

/* Another process, which has all keys that the one before had. */
static enum err restart(struct tokens *t)
{
	enum err err = clock_ms() < t->not_before ? ERR_CLOSED : start(t);

	if (!err)
		err = attach(t);
	for (size_t i = 0; !err && i < t->n_opened; i++) {
		t->opened[i]->id = ++t->last_id;
		err = hand_over(t, TO_TOKEN__MSG_OPEN, t->opened[i]);
	}
	return err;
}

static enum err ask_sign(struct tokens *t, TokenSign *msg)
{
	enum err err = ERR_OK;

	if (t->fd >= 0)
		err = attach(t);
	else if (!t->chan)
		err = restart(t);
	if (!err)
		err = hand_over(t, TO_TOKEN__MSG_SIGN, msg);
	return err;
}

/* ---- answers -------------------------------------------------------------- */

/* The process is of no use any more.  One that died may have done so before it read what it was
 * asked; a job that kills modules gets no third one. */
static void give_up(struct tokens *t, enum err why)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct token_job *next;

	/* The last job may be the last that needs T. */
	(void)talloc_reference(tmp, t);
	stop(t);
	for (struct token_job *j = t->first; j; j = next) {
		bool once = why == ERR_CLOSED && !j->again;

		next = j->next;
		j->again = true;
		if (!once || ask_sign(t, &j->msg))
			finish(j, why, NULL, 0);
	}
	talloc_free(tmp);
}

static void on_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct tokens *t = w->data;

	(void)loop;
	(void)revents;
	log_err(NULL, "token-too-slow",
		kv_text("no answer from a token within 10 seconds; its module is started again"));
	give_up(t, ERR_TIMEOUT);
}

static void on_closed(void *arg, struct chan *chan, enum err why)
{
	struct tokens *t = arg;

	(void)chan;
	log_err(NULL, "token-lost", kv_err(why),
		kv_text("the process that uses tokens has ended; it is started again"));
	give_up(t, ERR_CLOSED);
}

static void on_opened(struct tokens *t, const TokenOpened *msg)
{
	const char *why = *msg->cert_fault ? msg->cert_fault : msg->key_fault;

	if (msg->ok)
		return;
	log_err(NULL, "token-key-lost", kv_text(why));
	if (msg->pin_refused)
		t->dead = ERR_DENIED;
}

static void on_signed(struct tokens *t, const TokenSigned *msg)
{
	struct token_job *j = t->first;

	while (j && j->msg.id != msg->id)
		j = j->next;
	if (!msg->ok)
		log_err(NULL, "token-key-refused", kv_text(msg->fault));
	if (j)
		finish(j, msg->ok ? ERR_OK : ERR_TLS, msg->data.data, msg->data.len);
}

static void on_message(void *arg, struct chan *chan, const ProtobufCMessage *top,
		       struct ipc_fds *fds)
{
	struct tokens *t = arg;
	const FromToken *msg = (const FromToken *)(const void *)top;

	(void)fds;
	if (!t->awaited || !msg->msg_case) {
		on_closed(t, chan, ERR_PROTO);
		return;
	}
	if (--t->awaited)
		ev_timer_again(ev_default_loop(0), &t->limit);
	else
		ev_timer_stop(ev_default_loop(0), &t->limit);
	if (msg->msg_case == FROM_TOKEN__MSG_OPENED)
		on_opened(t, msg->opened);
	else
		on_signed(t, msg->signed_);
}

/* ---- questions ------------------------------------------------------------ */

/* A copy of MSG for key NUMBER. */
static enum err fill(struct token_job *j, uint32_t number, const Sign *msg)
{
	sign__init(&j->sign);
	token_sign__init(&j->msg);
	j->sign.key = number;
	j->sign.op = msg->op;
	j->sign.algorithm = msg->algorithm;
	j->sign.data.len = msg->data.len;
	j->sign.data.data = talloc_memdup(j, msg->data.len ? msg->data.data : (const uint8_t *)"",
					  msg->data.len ? msg->data.len : 1);
	j->msg.id = ++j->tokens->last_id;
	j->msg.sign = &j->sign;
	return j->sign.data.data ? ERR_OK : ERR_NOMEM;
}

enum err tokens_sign(TALLOC_CTX *owner, struct tokens *t, uint32_t number, const Sign *msg,
		     token_done_fn *done, void *arg, struct token_job **out)
{
	struct token_job *j;
	enum err err;

	if (t->dead || t->n_jobs >= JOBS_MAX)
		return t->dead ? t->dead : ERR_EXHAUSTED;
	j = talloc_zero(owner, struct token_job);
	if (!j)
		return ERR_NOMEM;
	*j = (struct token_job){ .tokens = t, .done = done, .arg = arg, .next = t->first };
	err = fill(j, number, msg);
	if (!err)
		err = ask_sign(t, &j->msg);
	if (err) {
		talloc_free(j);
		return err;
	}
	j->prev = &t->first;
	if (j->next)
		j->next->prev = &j->next;
	t->first = j;
	t->n_jobs++;
	talloc_set_destructor(j, job_destroy);
	*out = j;
	return ERR_OK;
}
