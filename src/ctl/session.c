/* session.c - a session as a row, a record and a JSON object. */
#include "ctl/session.h"

#include <string.h>

#include "base/str.h"
#include "ctl/fmt.h"
#include "ctl/json.h"
#include "ctl/line.h"
#include "ctl/user.h"
#include "ipc/convert.h"

bool session_is_valid(const SessionRow *s)
{
	return strcmp(s->state, "authenticated") == 0;
}

bool session_has_prefix(const SessionRow *s, const char *sid)
{
	return s->session && strncmp(s->session->sid, sid, strlen(sid)) == 0;
}

bool session_is_id(const char *sid)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789+/=";

	return *sid && strlen(sid) <= SESSION_FULL_ID && sid[strspn(sid, alphabet)] == 0;
}

static const char *remote_ip(const SessionRow *s, char text[ADDR_TEXT])
{
	struct endpoint ep = ipc_endpoint_read(s->session->remote);

	return addr_print(&ep.addr, text);
}

static const char *short_id(const SessionRow *s, char text[SESSION_SHORT_ID + 1])
{
	str_copy(text, SESSION_SHORT_ID + 1, s->session->sid);
	return text;
}

struct table *session_table(const struct view *v)
{
	static const struct column col[] = {
		{ "session", 6, 6, 6, 0 },	 { "user", 8, 8, 4, 0 },
		{ "vhost", 8, 8, 5, 0 },	 { "ip", 14, 14, 15, 0 },
		{ "user agent", 24, 24, 8, 24 }, { "created", 8, 8, 7, 0 },
		{ "status", 8, 8, 8, 0 },
	};

	return table_new(v, col, sizeof col / sizeof col[0]);
}

void session_row(const struct view *v, struct table *t, const SessionRow *s)
{
	char ip[ADDR_TEXT], id[SESSION_SHORT_ID + 1], age[FMT_TEXT];
	const Session *in = s->session;
	const char *cell[] = {
		short_id(s, id),  user_or_none(in->user), in->vhost,
		remote_ip(s, ip), in->user_agent,	  fmt_interval(v->now - s->created, age),
		s->state,
	};

	table_row(t, cell);
}

void session_print(const struct view *v, const SessionRow *s)
{
	char ip[ADDR_TEXT], id[SESSION_SHORT_ID + 1], date[FMT_TEXT];
	struct line l = { .v = v };
	const Session *in = s->session;

	line_single(&l, "Session", short_id(s, id));
	line_single(&l, "Full session ID", in->sid);
	line_single(&l, "Created", fmt_date(s->created, date));
	if (s->expires)
		line_single(&l, "Expires", fmt_date(s->expires, date));
	line_single(&l, "State", s->state);
	line_text(&l, "Username", user_or_none(in->user));
	line_text(&l, "Groupname", user_or_none(in->group));
	line_end(&l);
	line_text(&l, "vhost", in->vhost);
	line_text(&l, "User-Agent", in->user_agent);
	line_end(&l);
	line_text(&l, "Remote IP", remote_ip(s, ip));
	line_text(&l, "Location", geo_location(v->ctx, v->geo, ip));
	line_end(&l);
	line_text(&l, "In use", s->in_use ? "True" : "False");
	line_text(&l, "Activated", s->is_open ? "True" : "False");
	line_end(&l);
	line_single(&l, "Certificate auth", s->tls_auth_ok ? "True" : "False");
}

json_t *session_json(const struct view *v, const SessionRow *s)
{
	char text[FMT_TEXT], ip[ADDR_TEXT];
	const Session *in = s->session;
	json_t *o = json_object();

	js_text(o, "Session", short_id(s, text));
	js_text(o, "Full session", in->sid);
	js_text(o, "Created", fmt_date(s->created, text));
	if (s->expires)
		js_text(o, "Expires", fmt_date(s->expires, text));
	js_text(o, "State", s->state);
	js_text(o, "Username", user_or_none(in->user));
	js_text(o, "Groupname", user_or_none(in->group));
	js_text(o, "vhost", in->vhost);
	js_text(o, "User-Agent", in->user_agent);
	js_text(o, "Remote IP", remote_ip(s, ip));
	js_text(o, "Location", geo_location(v->ctx, v->geo, ip));
	js_int(o, "session_is_open", s->is_open);
	js_int(o, "tls_auth_ok", s->tls_auth_ok);
	js_int(o, "in_use", s->in_use);
	return o;
}
