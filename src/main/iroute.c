/* iroute.c - routes to the networks behind a client. */
#include "main/iroute.h"

#include "base/log.h"
#include "main/hook_env.h"
#include "main/netlink.h"
#include "main/script.h"
#include "main/tun.h"

/* Child of the session while its tunnel is there. */
struct iroutes {
	size_t added; /* of the session's list, in its order */
	bool by_netlink;
	void (*done)(struct session *s, bool ok);
};

/* ---- by commands ---------------------------------------------------------- */

/* Runs TEMPLATE for ROUTE; DONE as in script_run. */
static void run(struct session *s, enum script which, const char *template,
		const struct conf_route *route, void (*done)(struct session *s, bool ok))
{
	char *command = NULL;

	if (hook_expand_route(s, template, route, s->device, &command)) {
		log_err(&s->log, "bad-route-command", kv_str("command", template));
		if (done)
			done(s, false);
		return;
	}
	log_debug(&s->log, "route-command", kv_str("command", command));
	script_command(s, which, command, done);
	talloc_free(command);
}

static void finish(struct session *s, bool ok)
{
	if (!ok)
		iroutes_del(s);
	s->iroutes->done(s, ok);
}

static void add_next(struct session *s);

static void on_added(struct session *s, bool ok)
{
	const struct conf_route *route = &s->conf->iroute.item[s->iroutes->added];

	if (!ok) {
		log_err(&s->log, "iroute-refused", kv_str("route", route->text));
		finish(s, false);
		return;
	}
	s->iroutes->added++;
	add_next(s);
}

static void add_next(struct session *s)
{
	const struct conf_routes *list = &s->conf->iroute;
	size_t i = s->iroutes->added;

	if (i < list->n)
		run(s, SCRIPT_CONNECT, s->began->route_add_cmd, &list->item[i], on_added);
	else
		finish(s, true);
}

/* ---- by netlink ----------------------------------------------------------- */

static bool has_iroute(const struct session *s, const struct addr_net *net)
{
	for (size_t i = 0; i < s->conf->iroute.n; i++)
		if (addr_net_equal(&s->conf->iroute.item[i].net, net))
			return true;
	return false;
}

/* Takes the route to NET from the session that has it; ERR_EXISTS: it is none of a session's. */
static enum err take_from_other(struct session *s, const struct addr_net *net)
{
	for (struct session *o = sessions_first(s->m); o; o = o->next) {
		if (o == s || !o->tun || !o->conf || !has_iroute(o, net) ||
		    netlink_route_del(s->m->nl, tun_index(o->tun), net))
			continue;
		log_notice(&s->log, "iroute-moved", kv_str("from", o->user),
			   kv_str("from-session", o->sid_short));
		return ERR_OK;
	}
	return ERR_EXISTS;
}

static enum err add_route(struct session *s, const struct conf_route *route)
{
	enum err err;

	/* The machine's own way out is no administrator's idea of a network behind a client. */
	if (route->is_default || route->net.prefix == 0)
		return ERR_RANGE;
	err = netlink_route_add(s->m->nl, tun_index(s->tun), &route->net);
	if (err != ERR_EXISTS)
		return err;
	err = take_from_other(s, &route->net);
	return err ? err : netlink_route_add(s->m->nl, tun_index(s->tun), &route->net);
}

/* A list may name a network twice, in the group's file and in the user's. */
static bool is_repeated(const struct conf_routes *list, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (addr_net_equal(&list->item[k].net, &list->item[i].net))
			return true;
	return false;
}

static void add_all(struct session *s)
{
	const struct conf_routes *list = &s->conf->iroute;
	enum err err = ERR_OK;

	for (; !err && s->iroutes->added < list->n; s->iroutes->added += !err) {
		const struct conf_route *route = &list->item[s->iroutes->added];

		if (is_repeated(list, s->iroutes->added))
			continue;
		err = add_route(s, route);
		if (err)
			log_err(&s->log, "iroute-refused", kv_str("route", route->text),
				kv_err(err));
	}
	finish(s, !err);
}

/* What is behind another client now has no route of this device any more. */
static void del_all(struct session *s, size_t n)
{
	for (size_t i = n; s->tun && i-- > 0;) {
		enum err err = netlink_route_del(s->m->nl, tun_index(s->tun),
						 &s->conf->iroute.item[i].net);

		if (err && err != ERR_NOT_FOUND)
			log_debug(&s->log, "iroute-not-removed",
				  kv_str("route", s->conf->iroute.item[i].text), kv_err(err));
	}
}

/* ---- both ----------------------------------------------------------------- */

static bool is_set(const char *command)
{
	return command && *command;
}

void iroutes_add(struct session *s, void (*done)(struct session *s, bool ok))
{
	TALLOC_FREE(s->iroutes);
	s->iroutes = talloc_zero(s, struct iroutes);
	if (!s->iroutes) {
		done(s, false);
		return;
	}
	s->iroutes->done = done;
	s->iroutes->by_netlink = !is_set(s->began->route_add_cmd);
	if (s->iroutes->by_netlink)
		add_all(s);
	else
		add_next(s);
}

/* A main that took the session over was not told how many were added: a tunnel that is up has all
 * of them. */
void iroutes_del(struct session *s)
{
	const char *command = s->began->route_del_cmd;
	bool by_netlink = s->iroutes ? s->iroutes->by_netlink : !is_set(s->began->route_add_cmd);
	size_t n = s->iroutes ? s->iroutes->added : s->conf->iroute.n;

	if (s->iroutes)
		s->iroutes->added = 0;
	if (by_netlink)
		del_all(s, n);
	for (size_t i = n; !by_netlink && is_set(command) && i-- > 0;)
		run(s, SCRIPT_DISCONNECT, command, &s->conf->iroute.item[i], NULL);
}
