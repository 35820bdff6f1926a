/* worker.c - the life of one connection, from its birth in the zygote to its last word. */
#include "worker/worker.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/ask.h"
#include "worker/tell.h"
#include "worker/tls.h"
#include "worker/tunnel.h"

void worker_end(struct worker *w, EndReason reason, bool tell_client)
{
	if (w->ending.set)
		return;
	w->ending = (struct ending){ .set = true, .reason = reason, .tell_client = tell_client };
}

/* ---- the start-up list ---- */

static enum err start_log(struct worker *w)
{
	tell_log_init(w);
	return ERR_OK;
}

/* Answers are small and must not wait for more. */
static enum err start_socket(struct worker *w)
{
	int one = 1;

	(void)setsockopt(w->client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fcntl(w->client, F_SETFL, O_NONBLOCK) == 0 ? ERR_OK : ERR_SYS;
}

/* The zygote ignores what is sent to the whole service; a session can be ended by its own SIGTERM.
 */
static enum err start_signals(struct worker *w)
{
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &term, NULL) < 0)
		return ERR_SYS;
	w->term_fd = signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
	return w->term_fd < 0 ? ERR_SYS : ERR_OK;
}

static enum err start_sandbox(struct worker *w)
{
	enum err err;

	if (!w->image->sandbox)
		return ERR_OK;
	err = sandbox_limits(w->image->memory_limit);
	return err ? err : sandbox_enter(w->image->sandbox, SANDBOX_LOGIN);
}

/* From here on the image's keys ask auth in the name of this worker. */
static enum err start_keys(struct worker *w)
{
	w->image->keys = (struct keys_owner){ .sign = ask_sign, .arg = w };
	return ERR_OK;
}

static enum err run_tls(struct worker *w)
{
	enum err err = tls_accept(w);

	if (!err)
		tell_info(w);
	return err;
}

/* Login, CONNECT, and then the tunnel. */
static enum err run_dialogue(struct worker *w)
{
	struct http_dialogue d = {
		.conf = w->image->conf,
		.host = w->vhost->host,
		.peer = &w->peer,
		.profile = { w->vhost->profile.p, w->vhost->profile.len },
		.env = &ask_env,
		.arg = w,
		.log = &w->log,
	};
	struct tunnel_plan *plan = NULL;
	enum err err = http_run(&d, w, &plan);

	if (!err)
		return tunnel_run(w, plan);
	w->abuse = err == ERR_SYNTAX || err == ERR_TOO_LONG || err == ERR_UNSUPPORTED ||
		   err == ERR_PROTO;
	/* protocol.md 9: load balancers look whether TLS works, too. */
	return err == ERR_CLOSED && !w->heard ? ERR_NOT_FOUND : err;
}

struct step {
	const char *name;
	enum err (*run)(struct worker *w);
};

/* A connection's life.  The sandbox comes before the first byte of the client is looked at. */
static const struct step steps[] = {
	{ "log", start_log },	      { "socket", start_socket }, { "signals", start_signals },
	{ "sandbox", start_sandbox }, { "keys", start_keys },	  { "tls", run_tls },
	{ "dialogue", run_dialogue },
};

/* ---- the end ---- */

static EndReason login_end_reason(enum err err)
{
	switch (err) {
	case ERR_NOT_FOUND:
		return END_REASON__END_HEALTH_PROBE;
	case ERR_TIMEOUT:
		return END_REASON__END_AUTH_TIMEOUT;
	case ERR_DENIED:
		return END_REASON__END_REFUSED;
	case ERR_OK:
	case ERR_CLOSED:
		return END_REASON__END_UNSPECIFIED;
	default:
		return END_REASON__END_ERROR;
	}
}

static void last_words(struct worker *w, enum err err)
{
	bool login = w->state != WORKER_TUNNEL;

	if (w->log_lost)
		log_warn(&w->log, "log-lines-lost", kv_u64("lines", w->log_lost));
	if (err)
		worker_end(w, login_end_reason(err), false);
	/* In the login phase no session depends on this connection: a ticket it was given is for
	 * the next one. */
	tell_ended(w, login || tunnel_end_keeps(w->ending.reason, w->ending.tell_client),
		   w->tunnel ? tunnel_counters(w->tunnel) : NULL);
	if (login && w->tls && err != ERR_TLS)
		tls_goodbye(w, err == ERR_DENIED);
}

static int worker_free(struct worker *w)
{
	TALLOC_FREE(w->tunnel);
	if (w->tls)
		gnutls_deinit(w->tls);
	if (w->tun >= 0)
		close(w->tun);
	if (w->term_fd >= 0)
		close(w->term_fd);
	log_set_sink(NULL);
	return 0;
}

static struct worker *worker_new(struct image *image, const struct birth *birth)
{
	struct worker *w = talloc_zero(NULL, struct worker);

	if (!w)
		return NULL;
	*w = (struct worker){
		.image = image,
		.id = birth->id,
		.state = WORKER_LOGIN,
		.remote = birth->remote,
		.local = birth->local,
		.proxy = birth->proxy,
		.client = birth->client,
		.main_fd = birth->main_fd,
		.auth_fd = birth->auth_fd,
		.deadline = clock_ms() + (uint64_t)image->conf->auth_timeout * 1000,
		.vhost = &image->vhost[0],
		.tun = -1,
		.term_fd = -1,
	};
	talloc_set_destructor(w, worker_free);
	return w;
}

int worker_run(struct image *image, const struct birth *birth)
{
	struct worker *w = worker_new(image, birth);
	enum err err = w ? ERR_OK : ERR_NOMEM;

	for (size_t i = 0; !err && i < sizeof steps / sizeof steps[0]; i++) {
		err = steps[i].run(w);
		if (err)
			log_debug(&w->log, "step-ended", kv_str("step", steps[i].name),
				  kv_err(err));
	}
	if (w)
		last_words(w, err);
	/* Behind the filter there is no way to tidy up for leak checkers, and no need. */
	if (image->sandbox)
		_exit(0);
	talloc_free(w);
	return 0;
}
