/* radius_round.c - several servers for one request, and how long each of them may take. */
#include "auth/backend/radius_round.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "auth/backend/radius_memory.h"
#include "base/clock.h"

enum {
	/* Milliseconds for all servers together: a job may take 30 s (auth/runner.h), and the
	 * client waits about as long. */
	BUDGET = 27000,
	SECOND = 1000,
	TEXT = 640,
	SHORT = 6, /* characters of a session id that log lines show */
};

void radius_say(const struct backend_input *in, enum log_level level, const char *event,
		const char *fmt, ...)
{
	char text[TEXT], sid[SHORT + 1];
	const struct log_ctx ctx = { sid, in->user, in->vhost, &in->remote.addr };
	va_list ap;

	str_copy(sid, sizeof sid, in->sid ? in->sid : "");
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	log_event(level, &ctx, event, LOG_KVS(kv_text(text)));
}

/* A round under way. */
struct state {
	const struct radius_round *round;
	const struct radius_conf *conf;
	const struct radius_servers *servers;
	struct radius_memory memory;
	uint64_t end; /* clock_ms() */
	bool learned;
};

/* The file's timeout and tries as far as they fit into MS milliseconds. */
static void fit(struct radius_query *q, uint64_t ms)
{
	uint64_t seconds = ms / SECOND, tries;

	q->timeout = q->conf->timeout;
	q->retries = q->conf->retries;
	if (q->timeout > seconds)
		q->timeout = seconds ? (unsigned)seconds : 1;
	tries = seconds / q->timeout;
	if (q->retries + 1 > tries)
		q->retries = tries ? (unsigned)tries - 1 : 0;
}

static void log_silence(const struct state *s, const struct radius_server *server,
			const struct radius_answer *a)
{
	const struct radius_round *r = s->round;

	radius_say(r->in, LOG_LVL_WARN, "radius-server-silent",
		   "radius-%s: no answer from server %s (code %d)%s%s",
		   r->accounting ? "acct" : "auth", server->name, a->code, a->why ? ": " : "",
		   a->why ? a->why : "");
	if (a->dropped)
		radius_say(r->in, LOG_LVL_WARN, "radius-reply-dropped",
			   "radius-auth: %u replies of server %s had no right "
			   "Message-Authenticator and were dropped; if it cannot send one, set "
			   "require-message-authenticator no in %s",
			   a->dropped, server->name, r->line->config);
}

/* What the answer of server I tells about it. */
static void learn(struct state *s, size_t i, const struct radius_answer *a)
{
	struct radius_knowledge *k = &s->memory.item[i];
	struct radius_knowledge now = *k;

	now.dead_until = 0;
	if (!radius_answered(a->code) && s->conf->deadtime)
		now.dead_until = clock_unix() + s->conf->deadtime;
	now.seals = k->seals || a->sealed;
	s->learned = s->learned || now.dead_until != k->dead_until || now.seals != k->seals;
	*k = now;
}

static bool needs_seal(const struct state *s, size_t i)
{
	if (s->conf->signing == RADIUS_SIGNING_AUTO)
		return s->memory.item[i].seals;
	return s->conf->signing == RADIUS_SIGNING_YES;
}

/* Asks server I; LEFT servers, this one included, share the time that is left. */
static enum err ask_one(TALLOC_CTX *ctx, struct state *s, size_t i, size_t left,
			struct radius_answer *out)
{
	const struct radius_server *server = &s->servers->item[i];
	struct radius_query q = {
		.conf = s->conf,
		.server = server,
		.request = s->round->request,
		.token = s->round->in->sid,
		.accounting = s->round->accounting,
		.seal_needed = needs_seal(s, i),
		/* Nobody else is left who could say yes; records are tried again later. */
		.patient = left == 1 && !s->round->accounting,
	};
	uint64_t now = clock_ms();
	enum err err;

	fit(&q, now < s->end ? (s->end - now) / left : 0);
	err = radius_ask(ctx, &q, out);
	if (err)
		return err;
	if (!radius_answered(out->code))
		log_silence(s, server, out);
	learn(s, i, out);
	return ERR_OK;
}

static enum err remember(TALLOC_CTX *ctx, const struct state *s, struct verdict *v)
{
	char *text;

	if (!s->learned)
		return ERR_OK;
	text = radius_memory_write(ctx, s->servers, &s->memory);
	if (!text)
		return ERR_NOMEM;
	v->keep = (uint8_t *)text;
	v->keep_len = strlen(text);
	return ERR_OK;
}

enum err radius_round(TALLOC_CTX *ctx, const struct radius_round *round, struct radius_answer *out,
		      const struct radius_server **server, struct verdict *v)
{
	const struct radius_conf *conf = &round->line->client;
	/* With TLS one connection carries both (RFC 6614 2.4). */
	bool acct = round->accounting && conf->transport < RADIUS_TLS;
	struct state s = {
		.round = round,
		.conf = conf,
		.servers = acct ? &conf->acct : &conf->auth,
		.end = clock_ms() + BUDGET,
	};
	size_t order[RADIUS_SERVERS_MAX], n;
	enum err err = ERR_OK;

	*out = (struct radius_answer){ .code = RADIUS_FAILED };
	radius_memory_read(round->in->kept, round->in->kept_len, s.servers, &s.memory);
	n = radius_memory_order(s.servers, &s.memory, round->first, clock_unix(), order);
	if (!n)
		radius_say(round->in, LOG_LVL_ERR, "radius-no-server", "no %s in %s",
			   acct ? "acctserver" : "authserver", round->line->config);
	for (size_t i = 0; !err && i < n && !radius_answered(out->code); i++) {
		*server = &s.servers->item[order[i]];
		err = ask_one(ctx, &s, order[i], n - i, out);
	}
	return err ? err : remember(ctx, &s, v);
}

/* `nas-ip` of the client file has its say before what the client connected to. */
static struct addr nas_address(const struct radius *line, const struct backend_input *in)
{
	struct addr a;

	return line->client.nas_ip && !addr_parse(line->client.nas_ip, &a) ? a : in->local.addr;
}

void radius_add_common(struct radius_attrs *a, const struct radius *line,
		       const struct backend_input *in)
{
	struct addr nas = nas_address(line, in);
	char text[ADDR_TEXT];

	radius_add_addr(a, RADIUS_NAS_IP_ADDRESS, RADIUS_NAS_IPV6_ADDRESS, &nas);
	radius_add_text(a, RADIUS_NAS_IDENTIFIER,
			line->nas_identifier ? line->nas_identifier : line->client.nas_identifier);
	radius_add_text(a, RADIUS_CALLING_STATION_ID, addr_print(&in->remote.addr, text));
	radius_add_text(a, RADIUS_ACCT_SESSION_ID, in->sid);
}
