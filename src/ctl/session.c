/* session.c - a session as a row, a record and a JSON object. */
#include "ctl/session.h"

#include <string.h>

#include "base/str.h"
#include "ctl/fmt.h"
#include "ctl/json.h"
#include "ctl/line.h"
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

static const char *or_none(const char *text)
{
	return *text ? text : "(none)";
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

void session_print_header(FILE *out)
{
	fprintf(out, "%6s %8s %8s %14s %24s %8s %8s\n", "session", "user", "vhost", "ip",
		"user agent", "created", "status");
}

void session_print_row(TALLOC_CTX *ctx, FILE *out, const SessionRow *s, int64_t now)
{
	char ip[ADDR_TEXT], id[SESSION_SHORT_ID + 1], age[FMT_TEXT];
	const Session *in = s->session;

	fprintf(out, "%6s %8s %8s %14s %24.24s %8s %8s\n", short_id(s, id),
		fmt_safe(ctx, or_none(in->user)), in->vhost, remote_ip(s, ip),
		fmt_safe(ctx, in->user_agent), fmt_interval(now - s->created, age), s->state);
}

void session_print(TALLOC_CTX *ctx, FILE *out, const SessionRow *s)
{
	char ip[ADDR_TEXT], id[SESSION_SHORT_ID + 1], date[FMT_TEXT];
	struct line l = { out, ctx, 0 };
	const Session *in = s->session;

	line_single(&l, "Session", short_id(s, id));
	line_single(&l, "Full session ID", in->sid);
	line_single(&l, "Created", fmt_date(s->created, date));
	if (s->expires)
		line_single(&l, "Expires", fmt_date(s->expires, date));
	line_single(&l, "State", s->state);
	line_text(&l, "Username", or_none(in->user));
	line_text(&l, "Groupname", or_none(in->group));
	line_end(&l);
	line_text(&l, "vhost", in->vhost);
	line_text(&l, "User-Agent", in->user_agent);
	line_end(&l);
	line_text(&l, "Remote IP", remote_ip(s, ip));
	line_text(&l, "Location", "unknown");
	line_end(&l);
	line_text(&l, "In use", s->in_use ? "True" : "False");
	line_text(&l, "Activated", s->is_open ? "True" : "False");
	line_end(&l);
	line_single(&l, "Certificate auth", s->tls_auth_ok ? "True" : "False");
}

json_t *session_json(const SessionRow *s)
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
	js_text(o, "Username", or_none(in->user));
	js_text(o, "Groupname", or_none(in->group));
	js_text(o, "vhost", in->vhost);
	js_text(o, "User-Agent", in->user_agent);
	js_text(o, "Remote IP", remote_ip(s, ip));
	js_text(o, "Location", "unknown");
	js_int(o, "session_is_open", s->is_open);
	js_int(o, "tls_auth_ok", s->tls_auth_ok);
	js_int(o, "in_use", s->in_use);
	return o;
}
