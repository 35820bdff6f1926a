/* reload.c - the way of a configuration:
 *
 *	file -> rows and structs -> auth (loads the keys) -> its word and the certificates
 *	     -> becomes the running one -> a new zygote -> workers of new connections
 *
 * Nothing of it touches a session that exists. */
#include "main/reload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "conf/option.h"
#include "conf/pack.h"
#include "main/ban.h"
#include "main/control.h"
#include "main/crlwatch.h"
#include "main/reload_wait.h"
#include "main/restore.h"
#include "main/stats_journal.h"
#include "main/zygote.h"

enum { EVERYONE = CONF_TO_SUPER | CONF_TO_MAIN | CONF_TO_AUTH | CONF_TO_WORKER };

/* Auth may have to wait for a token with keys; occtl gives up after 30 seconds. */
static const double reload_patience = 15.0;

/* Between two attempts of an auth that was started again while a token was away. */
static const double retry_pause = 5.0;

struct reload {
	struct main_ctx *m;
	struct conf *candidate; /* auth is loading it; NULL: none on its way */
	bool again;		/* asked for while one was on its way, or at the start */
	bool zygote;		/* it is in force, but no worker can be made of it yet */
	struct reload_wait *wait;
	ev_timer patience;
	ev_timer retry;		/* auth cannot load the running configuration, for now */
	const ServerKeys *keys; /* of the running configuration; NULL: auth has not told yet */
};

/* The reload under way is over, for those who wait for it. */
static void finish(struct reload *r, bool ok)
{
	ev_timer_stop(r->m->loop, &r->patience);
	r->zygote = false;
	reload_wait_end(r->wait, ok);
	main_update_control(r->m);
	if (r->again && !r->candidate)
		reload_if_asked(r->m);
}

/* Nobody waits for ever.  What hangs may still come; a corrected file is read at once. */
static void on_impatient(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct reload *r = w->data;
	const char *text = r->candidate ? "sallyport-auth has not answered yet; the previous "
					  "configuration stays in force until it does"
					: "the new configuration is in force, but sallyport-worker "
					  "has not started with it; the log may say why";

	(void)loop;
	(void)revents;
	log_err(NULL, "reload-slow", kv_text(text));
	reload_wait_say(r->wait, text);
	finish(r, false);
}

static void on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct reload *r = w->data;

	(void)loop;
	(void)revents;
	if (!r->m->auth_ready && !r->candidate && r->m->phase != MAIN_STOPPING)
		reload_send_auth(r->m);
}

static int reload_free(struct reload *r)
{
	ev_timer_stop(r->m->loop, &r->retry);
	ev_timer_stop(r->m->loop, &r->patience);
	return 0;
}

enum err reload_new(struct main_ctx *m, struct reload **out)
{
	struct reload *r = talloc_zero(m, struct reload);

	if (!r)
		return ERR_NOMEM;
	r->m = m;
	ev_timer_init(&r->patience, on_impatient, 0, reload_patience);
	r->patience.data = r;
	ev_timer_init(&r->retry, on_retry, retry_pause, 0);
	r->retry.data = r;
	talloc_set_destructor(r, reload_free);
	*out = r;
	return reload_wait_new(m, &r->wait);
}

/* ---- reading ------------------------------------------------------------- */

static void log_findings(struct reload *r, const struct conf_report *report, bool again)
{
	for (size_t i = 0; i < report->n; i++) {
		const struct conf_problem *p = &report->item[i];
		char *text = conf_problem_text(NULL, p);
		bool skip = again && p->start_only;

		if (!skip && p->severity == CONF_ERROR)
			log_err(NULL, "configuration", kv_text(text));
		else if (!skip && p->severity == CONF_WARNING)
			log_warn(NULL, "configuration", kv_text(text));
		if (!skip && p->severity >= CONF_WARNING)
			reload_wait_say(r->wait, text);
		talloc_free(text);
	}
}

static void warn_open(const struct conf *c)
{
	if (!c->isolate_workers)
		log_warn(NULL, "configuration",
			 kv_text("isolate-workers is off: workers run without namespaces and "
				 "system-call filter; this is for debugging only"));
}

void reload_bans(struct main_ctx *m)
{
	const struct conf *c = m->conf;
	const struct ban_limits limits = { c->max_ban_score, c->ban_time, c->ban_reset_time };

	if (!m->bans)
		return; /* the first configuration: main_set_up calls again */
	ban_set_limits(m->bans, &limits);
	if (ban_set_exempt(m->bans, c->ban_exempt.item, c->ban_exempt.n))
		log_err(NULL, "ban-exempt-not-set", kv_err(ERR_NOMEM));
}

/* A main that follows us must run what we run, not what the file says by then. */
static void keep_conf(struct main_ctx *m)
{
	int fd;

	if (conf_pack_fd(&m->conf->rows, EVERYONE, &fd)) {
		log_err(NULL, "configuration-not-kept");
		return;
	}
	main_keep_fd(m, FD_KIND__FD_CONF, 0, fd, NULL);
	close(fd);
}

static enum err from_kept(struct main_ctx *m, int fd)
{
	TALLOC_CTX *tmp = talloc_new(m);
	struct conf_rows rows = { 0 };
	enum err err = conf_unpack_fd(tmp, fd, &rows);

	close(fd);
	if (!err)
		err = conf_from_rows(m, &rows, CONF_SHARE, NULL, &m->conf);
	if (!err)
		main_set_up_log(m);
	talloc_free(tmp);
	return err;
}

static enum err from_file(struct main_ctx *m)
{
	struct conf_report *report = conf_report_new(m);
	enum err err =
		report ? conf_load_file(m, m->args->config_path, report, &m->conf) : ERR_NOMEM;

	/* What is found is logged as the file says, if that can be told. */
	if (!err)
		main_set_up_log(m);
	if (report)
		log_findings(m->reload, report, false);
	talloc_free(report);
	if (err)
		return err;
	warn_open(m->conf);
	return ERR_OK;
}

bool reload_first(struct main_ctx *m, int fd)
{
	enum err err = fd >= 0 ? from_kept(m, fd) : from_file(m);

	if (err) {
		main_fail(m, "the configuration cannot be loaded");
		return false;
	}
	m->generation++;
	if (fd < 0)
		keep_conf(m);
	return true;
}

static enum err read_again(struct reload *r)
{
	struct main_ctx *m = r->m;
	struct conf_report *report = conf_report_new(m);
	enum err err;
	int why;

	if (!report)
		return ERR_NOMEM;
	err = conf_reload_file(m, m->args->config_path, m->conf, report, &r->candidate);
	why = errno;
	log_findings(r, report, true);
	talloc_free(report);
	errno = why;
	return err;
}

/* ERR_CONF has been explained line by line. */
static void say_unreadable(struct reload *r, enum err err)
{
	const char *why = err == ERR_SYS || err == ERR_NOT_FOUND ? strerror(errno) : err_text(err);
	char text[PATH_MAX + 128];

	if (err == ERR_CONF)
		return;
	snprintf(text, sizeof text, "error: cannot read %s: %s", r->m->args->config_path, why);
	log_err(NULL, "configuration", kv_text(text));
	reload_wait_say(r->wait, text);
}

void main_reload(struct main_ctx *m)
{
	struct reload *r = m->reload;
	enum err err;

	/* A main that took over may wait for keys that only a corrected file gives it. */
	bool starting = m->phase == MAIN_STARTING && !m->restarted;

	if (m->phase == MAIN_STOPPING || !m->conf)
		return;
	if (r->candidate || r->zygote || starting) {
		r->again = true;
		return;
	}
	log_info(NULL, "reload", kv_text("reloading configuration"));
	reload_wait_begin(r->wait);
	err = read_again(r);
	if (err) {
		say_unreadable(r, err);
		log_err(NULL, "reload-failed",
			kv_text("the previous configuration stays in force"));
		finish(r, false);
		return;
	}
	ev_timer_again(m->loop, &r->patience);
	reload_send_auth(m);
}

void reload_ask(struct main_ctx *m, uint64_t req)
{
	if (m->phase == MAIN_STOPPING || !m->conf) {
		control_done(m->control, req, CTL_RESULT__CTL_FAILED);
		return;
	}
	reload_wait_add(m->reload->wait, req);
	main_reload(m);
}

void reload_on_zygote(struct main_ctx *m)
{
	if (m->reload->zygote)
		finish(m->reload, true);
}

void reload_files(struct main_ctx *m)
{
	/* A main that took over may wait for files that auth could not use so far. */
	bool starting = m->phase == MAIN_STARTING && !m->restarted;

	if (m->phase == MAIN_STOPPING || starting || m->reload->candidate)
		return;
	/* The same rows: a configuration of its own only because it has a number of its own. */
	if (conf_from_rows(m, &m->conf->rows, CONF_SHARE, NULL, &m->reload->candidate))
		log_err(NULL, "reload-failed",
			kv_text("the previous configuration stays in force"));
	else
		reload_send_auth(m);
}

/* ---- auth ---------------------------------------------------------------- */

void reload_send_auth(struct main_ctx *m)
{
	const struct conf *c = m->reload->candidate ? m->reload->candidate : m->conf;
	AuthConf msg = AUTH_CONF__INIT;
	int fd;

	if (!c || !m->auth)
		return;
	if (conf_pack_fd(&c->rows, CONF_TO_AUTH, &fd)) {
		log_err(NULL, "configuration-not-sent", kv_str("to", "auth"));
		return;
	}
	if (m->reload->candidate)
		log_debug(NULL, "reload", kv_text("reloading server certificates"));
	crl_watch_begin(m->crls, c);
	/* The running configuration keeps its number, so that answers tell which one they mean. */
	msg.generation = m->reload->candidate ? m->generation + 1 : m->generation;
	main_tell_auth(m, TO_AUTH__MSG_CONF, &msg, fd);
	close(fd);
}

/* A sealed memfd with MSG; the caller's. */
static enum err memfd_of(TALLOC_CTX *tmp, const ProtobufCMessage *msg, int *out)
{
	size_t len = protobuf_c_message_get_packed_size(msg);
	uint8_t *bytes = talloc_size(tmp, len);

	if (!bytes)
		return ERR_NOMEM;
	secret_mark(bytes);
	protobuf_c_message_pack(msg, bytes);
	return file_sealed("sallyport-worker-conf", bytes, len, out);
}

/* Packs rows and certificates for the zygotes of this generation. */
static enum err pack_zygote(struct main_ctx *m, const ConfResult *msg, int area)
{
	TALLOC_CTX *tmp = talloc_new(m);
	WorkerConf conf = WORKER_CONF__INIT;
	struct conf_rows share = { 0 };
	ProtobufCMessage *rows = NULL;
	uint8_t *bytes;
	size_t len;
	int fd = -1;
	enum err err = conf_rows_filter(tmp, &m->conf->rows, CONF_TO_WORKER, &share);

	if (!err)
		err = conf_pack(tmp, &share, &bytes, &len);
	if (!err)
		err = ipc_unpack(tmp, &conf_rows__descriptor, bytes, len, &rows);
	if (!err) {
		conf.rows = (ConfRows *)(void *)rows;
		conf.n_host = msg->n_host;
		conf.host = msg->host;
		err = memfd_of(tmp, &conf.base, &fd);
	}
	talloc_free(tmp);
	if (err)
		return err;
	if (m->zygote_conf >= 0)
		close(m->zygote_conf);
	m->zygote_conf = fd;
	if (m->zygote_area >= 0)
		close(m->zygote_area);
	m->zygote_area = dup(area);
	return m->zygote_area >= 0 ? ERR_OK : ERR_SYS;
}

static void switch_over(struct main_ctx *m)
{
	struct conf *old = m->conf;

	m->conf = m->reload->candidate;
	m->reload->candidate = NULL;
	m->generation++;
	/* Sessions that began with it still hold references. */
	talloc_unlink(m, old);
	reload_bans(m);
	keep_conf(m);
	stats_save(m);
	log_info(NULL, "reloaded", kv_u64("generation", m->generation));
}

/* What it refuses, and what it can do without. */
static void tell_errors(struct reload *r, const ConfResult *msg)
{
	for (size_t i = 0; i < msg->n_error; i++) {
		log_err(NULL, "configuration", kv_text(msg->error[i]));
		reload_wait_say(r->wait, msg->error[i]);
	}
}

static void refused(struct main_ctx *m, const ConfResult *msg)
{
	if (m->reload->candidate) {
		talloc_unlink(m, m->reload->candidate);
		m->reload->candidate = NULL;
		log_err(NULL, "reload-failed",
			kv_text("the previous configuration stays in force"));
		if (!m->auth_ready)
			reload_send_auth(m); /* it was started meanwhile and has none at all */
		finish(m->reload, false);
	} else if (m->phase == MAIN_STARTING && !m->restarted) {
		main_fail(m, msg->n_error ? msg->error[0] : "keys cannot be loaded");
	} else {
		log_err(NULL, "keys-lost",
			kv_text(msg->passing ? "auth cannot load the running configuration; it "
					       "tries again"
					     : "auth cannot load the running configuration; "
					       "correct it and reload"));
		ev_timer_stop(m->loop, &m->reload->retry);
		ev_timer_set(&m->reload->retry, retry_pause, 0);
		if (msg->passing)
			ev_timer_start(m->loop, &m->reload->retry);
	}
}

void reload_if_asked(struct main_ctx *m)
{
	if (!m->reload->again || m->reload->candidate || m->reload->zygote)
		return;
	m->reload->again = false;
	main_reload(m);
}

const ServerKeys *reload_keys(const struct main_ctx *m)
{
	return m->reload->keys;
}

/* A copy for occtl. */
static void keep_keys(struct reload *r, const ServerKeys *keys)
{
	size_t len = keys ? server_keys__get_packed_size(keys) : 0;
	uint8_t *bytes = talloc_size(r, len + 1);
	ProtobufCMessage *copy = NULL;

	talloc_free((void *)(uintptr_t)r->keys);
	r->keys = NULL;
	if (keys && bytes) {
		server_keys__pack(keys, bytes);
		if (!ipc_unpack(r, &server_keys__descriptor, bytes, len, &copy))
			r->keys = (const ServerKeys *)(const void *)copy;
	}
	talloc_free(bytes);
}

/* Patience begins again: auth may have used up what there was. */
static void wait_for_zygote(struct reload *r)
{
	r->zygote = true;
	ev_timer_again(r->m->loop, &r->patience);
	zygote_renew(r->m);
}

/* Auth's word on what it was given last. */
static void take_result(struct main_ctx *m, const ConfResult *msg, int area, bool next)
{
	tell_errors(m->reload, msg);
	if (!msg->ok) {
		refused(m, msg);
	} else {
		keep_keys(m->reload, msg->keys);
		if (next)
			switch_over(m);
		if (pack_zygote(m, msg, area))
			log_err(NULL, "configuration-not-sent", kv_str("to", "zygote"));
		m->auth_ready = true;
		if (next)
			wait_for_zygote(m->reload);
		else
			zygote_send_conf(m);
	}
	crl_watch_done(m->crls, m->conf, msg->ok);
	reload_if_asked(m);
	main_update_accepting(m);
}

void reload_on_result(struct main_ctx *m, const ConfResult *msg, int area)
{
	bool next = m->reload->candidate && msg->generation == m->generation + 1;

	/* Otherwise it is about one that nobody wants any more. */
	if (next || (!m->reload->candidate && msg->generation == m->generation))
		take_result(m, msg, area, next);
	if (area >= 0)
		close(area);
}
