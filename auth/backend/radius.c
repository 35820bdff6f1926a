/* radius.c - the backend `radius`: one password or one answer to a challenge by PAP (radius.md 2 to
 * 4).  Runs in runners: it waits for the server. */
#include "auth/backend/radius.h"

#include <string.h>

#include "auth/backend/radius_acct.h"
#include "auth/backend/radius_round.h"
#include "auth/backend/work.h"
#include "base/secret.h"

enum {
	PASSWORD_MAX = 112, /* bytes; radcli cuts longer ones, which might make them right */
	PAP_BLOCK = 16,
	NAS_PORT_ASYNC = 0,
};

/* ---- state between the steps ---------------------------------------------- */

/* "SERVER\0OCTETS": a State means something only to the server that sent it. */
static const char *server_of(const struct backend_input *in)
{
	return in->state && memchr(in->state, '\0', in->state_len) ? (const char *)in->state : NULL;
}

static void add_state(struct radius_attrs *a, const struct backend_input *in)
{
	size_t head = server_of(in) ? strlen(server_of(in)) + 1 : 0;

	if (head)
		radius_add_bytes(a, RADIUS_STATE, in->state + head, in->state_len - head);
}

static enum err keep_state(TALLOC_CTX *ctx, const struct radius_server *server,
			   const struct radius_attr *state, struct verdict *v)
{
	size_t head = strlen(server->name) + 1;
	uint8_t *bytes = talloc_size(ctx, head + state->len);

	if (!bytes)
		return ERR_NOMEM;
	memcpy(bytes, server->name, head);
	memcpy(bytes + head, state->bytes, state->len);
	v->state = bytes;
	v->state_len = head + state->len;
	return ERR_OK;
}

/* ---- the request ---------------------------------------------------------- */

static void add_user(TALLOC_CTX *ctx, struct radius_attrs *a, const struct radius *line,
		     const struct backend_input *in)
{
	bool bare = line->client.realm && !strchr(in->user, '@');
	char *name = talloc_asprintf(ctx, "%s%s%s", in->user, bare ? "@" : "",
				     bare ? line->client.realm : "");

	/* Never cut: the rest may be somebody else's name. */
	a->failed = a->failed || !name || strlen(name) > RADIUS_VALUE_MAX;
	radius_add_text(a, RADIUS_USER_NAME, name);
}

/* An empty one is a block of zeros: the library would make an attribute without value of it. */
static void add_password(struct radius_attrs *a, const char *answer)
{
	static const char nothing[PAP_BLOCK] = { 0 };
	size_t len = strlen(answer);

	radius_add_bytes(a, RADIUS_USER_PASSWORD, len ? answer : nothing, len ? len : PAP_BLOCK);
}

/* Radius.md 2.  Without NAS-Port: a tunnel has none yet. */
static enum err make_request(TALLOC_CTX *ctx, const struct radius *line,
			     const struct backend_input *in, struct radius_attrs *out)
{
	*out = (struct radius_attrs){ .ctx = ctx };
	add_user(ctx, out, line, in);
	add_password(out, in->answer);
	radius_add_common(out, line, in);
	radius_add_text(out, RADIUS_CONNECT_INFO, in->user_agent);
	radius_add_number(out, RADIUS_SERVICE_TYPE, RADIUS_AUTHENTICATE_ONLY);
	radius_add_number(out, RADIUS_NAS_PORT_TYPE, NAS_PORT_ASYNC);
	add_state(out, in);
	if (out->failed)
		return ERR_NOMEM;
	secret_mark(out->item);
	return ERR_OK;
}

/* ---- the answer ----------------------------------------------------------- */

static void log_ignored(const struct backend_input *in, const struct radius *line,
			const struct radius_attrs *reply)
{
	for (size_t i = 0; i < reply->n; i++) {
		const struct radius_attr *a = &reply->item[i];

		if (!radius_is_used(a, line->groupconfig))
			radius_say(in, LOG_LVL_DEBUG, "radius-attribute-ignored",
				   "radius-auth: ignoring server's attribute (%u,%u) of type %u",
				   a->type, a->vendor, a->kind);
	}
}

static enum err take_groups(TALLOC_CTX *ctx, const struct backend_input *in,
			    const struct radius *line, const struct radius_attrs *reply,
			    struct verdict *v)
{
	size_t dropped, unfit;
	enum err err = radius_groups(ctx, reply, line->separator, &v->groups, &dropped, &unfit);

	if (!err && dropped)
		radius_say(in, LOG_LVL_WARN, "radius-groups-dropped",
			   "radius-auth: more than %d groups from RADIUS, ignoring %zu",
			   BACKEND_GROUPS_MAX, dropped);
	if (!err && unfit)
		radius_say(in, LOG_LVL_NOTICE, "radius-groups-unfit",
			   "radius-auth: ignoring %zu values of Class that cannot name a group",
			   unfit);
	return err;
}

static enum err take_rows(TALLOC_CTX *ctx, const struct backend_input *in,
			  const struct radius_attrs *reply, struct verdict *v)
{
	struct radius_findings found;
	enum err err = radius_rows(ctx, reply, &v->rows, &found);

	for (size_t i = 0; !err && i < found.malformed_route.n; i++)
		radius_say(in, LOG_LVL_ERR, "radius-route-malformed", "Route '%s' is malformed",
			   found.malformed_route.item[i]);
	for (size_t i = 0; !err && i < found.spare_dns.n; i++)
		radius_say(
			in, LOG_LVL_NOTICE, "radius-dns-ignored",
			"radius-auth: cannot handle more than 2 DNS servers, ignoring additional DNS "
			"server from RADIUS: %s",
			found.spare_dns.item[i]);
	return err;
}

static enum err on_accept(TALLOC_CTX *ctx, const struct backend_input *in,
			  const struct radius *line, const struct radius_attrs *reply,
			  struct verdict *v)
{
	const struct radius_attr *service = radius_find(reply, RADIUS_SERVICE_TYPE);
	enum err err;

	v->kind = VERDICT_REJECT;
	if (service && service->number32 != RADIUS_FRAMED) {
		v->reason = "unknown radius service type";
		return ERR_OK;
	}
	log_ignored(in, line, reply);
	err = take_groups(ctx, in, line, reply, v);
	if (!err && line->groupconfig)
		err = take_rows(ctx, in, reply, v);
	if (!err)
		v->kind = VERDICT_ACCEPT;
	return err;
}

/* The login cannot go on without a text to show and a State to come back with; how many questions
 * it may have is the dialogue's. */
static enum err on_challenge(TALLOC_CTX *ctx, const struct backend_input *in,
			     const struct radius_server *server, const struct radius_attrs *reply,
			     struct verdict *v)
{
	const struct radius_attr *state = radius_find(reply, RADIUS_STATE);

	v->kind = VERDICT_CHALLENGE;
	v->text = radius_message(ctx, reply);
	if (v->text && state && state->len)
		return keep_state(ctx, server, state, v);
	radius_say(
		in, LOG_LVL_NOTICE, "radius-challenge-invalid",
		"radius-auth: Access-Challenge with invalid State or Reply-Message, or max number of "
		"password requests exceeded");
	v->kind = VERDICT_ERROR;
	v->reason = "invalid Access-Challenge";
	return ERR_OK;
}

/* A server that does not answer is a failure like any other (radius.md 4.2). */
static enum err on_refusal(TALLOC_CTX *ctx, const struct radius_answer *answer, struct verdict *v)
{
	v->kind = VERDICT_REJECT;
	v->text = radius_message(ctx, &answer->reply);
	v->reason = talloc_asprintf(ctx, "code %d", answer->code);
	return v->reason ? ERR_OK : ERR_NOMEM;
}

static enum err radius_step(TALLOC_CTX *ctx, const void *conf, const struct backend_input *in,
			    struct verdict *out)
{
	const struct radius *line = conf;
	struct radius_attrs request;
	struct radius_answer answer;
	const struct radius_server *server = NULL;
	struct radius_round round = { line, in, &request, server_of(in), false };
	enum err err;

	if (!in->answer || strlen(in->answer) > PASSWORD_MAX) {
		out->reason = "no password, or one longer than RADIUS allows";
		return ERR_OK;
	}
	err = make_request(ctx, line, in, &request);
	if (!err)
		err = radius_round(ctx, &round, &answer, &server, out);
	if (err)
		return err;
	switch (answer.code) {
	case RADIUS_OK:
		return on_accept(ctx, in, line, &answer.reply, out);
	case RADIUS_CHALLENGE:
		return on_challenge(ctx, in, server, &answer.reply, out);
	default:
		return on_refusal(ctx, &answer, out);
	}
}

const struct backend_work backend_work = {
	.traits = &backend_radius,
	.step = radius_step,
	.account = radius_account,
};
