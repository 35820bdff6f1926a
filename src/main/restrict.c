/* restrict.c - which sessions have rules in the kernel, and which. */
#include "main/restrict.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "main/firewall.h"
#include "main/linger.h"
#include "main/tun.h"
#include "main/workers.h"

/* Waits for the rules to be in force; child of the session. */
struct restrict_wait {
	struct session *session;
	struct fw_change *change;
	void (*done)(struct session *s, bool ok);
};

static int wait_free(struct restrict_wait *w)
{
	if (w->change)
		firewall_forget(w->change);
	w->session->restrict_wait = NULL;
	return 0;
}

static bool is_restricted(const struct session *s)
{
	return s->conf && (s->conf->restrict_user_to_routes || s->conf->restrict_user_to_ports.n);
}

const char *restrict_program(const struct session *s)
{
	const char *program = is_restricted(s) ? getenv("OCSERV_FW_SCRIPT") : NULL;

	return program && *program ? program : NULL;
}

static struct fw_rules rules_of(const struct session *s)
{
	const struct session_conf *c = s->conf;

	return (struct fw_rules){
		.device = s->device,
		.dns = &c->dns,
		.restrict_to_routes = c->restrict_user_to_routes,
		.routes = &c->route,
		.no_routes = &c->no_route,
		.ports = &c->restrict_user_to_ports,
	};
}

/* Whether rules of ours are what holds S to its restrictions. */
static bool needs_rules(const struct session *s)
{
	struct fw_rules r;

	if (!is_restricted(s) || restrict_program(s))
		return false;
	r = rules_of(s);
	return fw_rules_needed(&r);
}

/* ---- the life of a session ----------------------------------------------- */

static void finish(struct restrict_wait *w, bool ok)
{
	struct session *s = w->session;
	void (*done)(struct session * s, bool ok) = w->done;

	w->change = NULL;
	talloc_free(w);
	done(s, ok);
}

static void on_done(void *arg, bool ok, const char *why)
{
	struct restrict_wait *w = arg;

	if (!ok)
		log_err(&w->session->log, "firewall-refused", kv_str("reason", why));
	finish(w, ok);
}

static enum err add(struct session *s, bool replace, struct restrict_wait *w)
{
	struct fw_rules r = rules_of(s);
	enum err err = firewall_add(s->m->firewall, &r, replace, w, w ? &w->change : NULL);

	if (err)
		log_err(&s->log, "firewall-refused", kv_str("device", s->device), kv_err(err));
	return err;
}

void restrict_begin(struct session *s, void (*done)(struct session *s, bool ok))
{
	struct restrict_wait *w;
	bool replace = linger_take(s->m->linger, s->device);

	if (!needs_rules(s)) {
		if (replace)
			firewall_del(s->m->firewall, s->device);
		done(s, true);
		return;
	}
	s->has_rules = true;
	w = talloc_zero(s, struct restrict_wait);
	if (!w) {
		done(s, false);
		return;
	}
	*w = (struct restrict_wait){ s, NULL, done };
	s->restrict_wait = w;
	talloc_set_destructor(w, wait_free);
	if (add(s, replace, w))
		finish(w, false);
}

void restrict_end(struct session *s)
{
	TALLOC_FREE(s->restrict_wait);
	if (s->has_rules)
		linger_add(s->m->linger, s->device,
			   s->tun ? tun_index(s->tun) : if_nametoindex(s->device));
	s->has_rules = false;
}

/* Somebody's `nft flush ruleset` made everybody free. */
static void on_lost(void *arg)
{
	struct main_ctx *m = arg;

	log_err(NULL, "firewall-lost", kv_str("what", "the table was removed; it is made again"));
	for (struct session *s = sessions_first(m); s; s = s->next) {
		/* Its settings are still those of the host: restrict_restored makes its rules. */
		if (s->worker && !s->worker->described)
			s->has_rules = false;
		if (s->has_rules && !s->restrict_wait)
			(void)!add(s, true, NULL);
	}
}

/* ---- start --------------------------------------------------------------- */

/* What tells this server from others on the machine, and stays the same until its next start
 * whatever a reload brings. */
static char *identity(TALLOC_CTX *ctx, const struct main_ctx *m)
{
	const char *config = m->args->config_path ? m->args->config_path : "";
	const struct conf *c = m->conf;

	return talloc_asprintf(ctx, "%s %s %s %u %u", config,
			       c->occtl_socket_file ? c->occtl_socket_file : "",
			       c->listen_host ? c->listen_host : "", c->tcp_port, c->udp_port);
}

enum err restrict_set_up(struct main_ctx *m)
{
	static const struct firewall_ops template = { on_done, on_lost, NULL };
	char *text = identity(m, m), *table = talloc_size(m, FW_TABLE);
	struct firewall_ops *ops = talloc_memdup(m, &template, sizeof template);
	enum err err = ERR_NOMEM;

	if (text && table && ops) {
		ops->arg = m;
		fw_table_name(table, text);
		err = firewall_new(m, m->loop, table, ops, &m->firewall);
	}
	talloc_free(text);
	if (!err)
		err = linger_new(m, m->loop, m->firewall, &m->linger);
	if (!err && !m->restarted)
		firewall_clear(m->firewall);
	return err;
}

static struct session *session_of(const struct main_ctx *m, const char *device)
{
	for (struct session *s = sessions_first(m); s; s = s->next)
		if (s->state == SESSION_OPEN && s->device && !strcmp(s->device, device))
			return s;
	return NULL;
}

void restrict_restore(struct main_ctx *m)
{
	struct strv devices = { 0 };

	if (!m->restarted)
		return;
	if (firewall_devices(m->firewall, m, &devices))
		log_err(NULL, "firewall-unknown", kv_err(ERR_NOMEM));
	for (size_t i = 0; i < devices.n; i++) {
		struct session *s = session_of(m, devices.item[i]);

		if (s)
			s->has_rules = true;
		else
			linger_add(m->linger, devices.item[i], if_nametoindex(devices.item[i]));
	}
	talloc_free(devices.item);
}

void restrict_restored(struct session *s)
{
	if (s->has_rules || !needs_rules(s))
		return;
	log_err(&s->log, "firewall-lost",
		kv_str("what", "no rules were left; they are made again"));
	s->has_rules = true;
	(void)!add(s, true, NULL);
}
