/* ask.c - structs of the dialogue to messages and back. */
#include "worker/ask.h"

#include <string.h>

#include "base/secret.h"
#include "conf/pack.h"
#include "ipc/convert.h"
#include "worker/io.h"
#include "worker/resume.h"
#include "worker/second_cert.h"
#include "worker/tell.h"
#include "worker/tls.h"

/* Messages have no const; those that are sent are only read. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)(s ? s : "");
}

static ProtobufCBinaryData bytes(const void *data, size_t len)
{
	return (ProtobufCBinaryData){ .len = len, .data = (uint8_t *)(uintptr_t)data };
}

/* Vhosts are called by their printed names between processes; "default" is the default host. */
static char *vhost_name(const struct worker *w)
{
	return text(w->vhost->host->name);
}

enum err ask_sign(void *arg, TALLOC_CTX *ctx, const Sign *request, ProtobufCBinaryData *out)
{
	struct worker *w = arg;
	Sign sign = *request;
	ToAuth msg = TO_AUTH__INIT;
	const ToWorker *answer = NULL;
	enum err err;

	sign.generation = w->image->generation;
	sign.ticket_vhost = text(resume_wants(w, sign.key));
	msg.msg_case = TO_AUTH__MSG_SIGN;
	msg.sign = &sign;
	err = io_call(w, ctx, &msg, &answer);
	if (err)
		return err;
	resume_take(w, answer->signed_->ticket);
	if (!answer->signed_->ok)
		return ERR_DENIED;
	*out = answer->signed_->data;
	return ERR_OK;
}

/* ---- the certificate ---- */

/* The user it names; "": none, and none that counts. */
static char *cert_user(const struct worker *w)
{
	return text(w->cert.good && w->cert.id ? w->cert.id->user : NULL);
}

static void fill_cert(Step *m, const struct worker *w)
{
	m->cert_ok = w->cert.good;
	m->cert_bad = w->cert.shown && !w->cert.good;
	m->cert_user = cert_user(w);
	if (w->cert.good && w->cert.id) {
		m->cert_group = w->cert.id->groups.item;
		m->n_cert_group = w->cert.id->groups.n;
	}
}

/* ---- a step of the login ---- */

static void fill_client(Step *m, const struct login_step *step)
{
	const struct http_client *c = step->client;
	const struct auth_input *in = step->input;

	m->user_agent = text(c->user_agent);
	m->device_type = text(c->device_type[0] ? c->device_type : in->device_type);
	m->device_platform = text(c->platform[0] ? c->platform : in->device_id);
	m->mobile = c->mobile;
	m->http_auth = c->http_auth;
	m->authorization = text(c->authorization);
	m->capabilities = in->caps;
	if (c->strap_dh_key)
		m->strap_dh_key = bytes(c->strap_dh_key, strlen(c->strap_dh_key));
}

static void fill_input(Step *m, Answer *answers, Answer **list, const struct auth_input *in)
{
	m->kind = in->kind == AUTH_REPLY ? STEP_KIND__STEP_REPLY : STEP_KIND__STEP_INIT;
	m->has_username = in->username != NULL;
	m->username = text(in->username);
	m->group = text(in->group);
	m->n_answer = in->n_answers;
	m->answer = list;
	for (size_t i = 0; i < in->n_answers; i++) {
		answers[i] = (Answer)ANSWER__INIT;
		answers[i].name = text(in->answer[i].name);
		answers[i].value = text(in->answer[i].value);
		list[i] = &answers[i];
	}
}

static void fill_second(Step *m, SecondCert *second, const struct login_second *in)
{
	if (!in)
		return;
	second->checked = in->checked;
	second->good = in->good;
	second->user = text(in->user);
	second->group = in->groups.item;
	second->n_group = in->groups.n;
	m->second = second;
}

static enum auth_field_type field_type(const char *type)
{
	if (strcmp(type, "password") == 0)
		return AUTH_FIELD_PASSWORD;
	if (strcmp(type, "hidden") == 0)
		return AUTH_FIELD_HIDDEN;
	return strcmp(type, "sso") == 0 ? AUTH_FIELD_SSO : AUTH_FIELD_TEXT;
}

/* NULL for the empty texts of messages. */
static const char *text_or_null(const char *s)
{
	return s && *s ? s : NULL;
}

static enum err take_form(struct login_answer *a, const Form *f)
{
	struct auth_field *fields = talloc_zero_size(a, f->n_input * sizeof *fields);
	struct auth_group *groups = talloc_zero_size(a, f->n_group * sizeof *groups);

	if ((!fields && f->n_input) || (!groups && f->n_group))
		return ERR_NOMEM;
	for (size_t i = 0; i < f->n_input; i++)
		fields[i] = (struct auth_field){
			.type = field_type(f->input[i]->type),
			.name = f->input[i]->name,
			.label = text_or_null(f->input[i]->label),
			.value = text_or_null(f->input[i]->value),
		};
	for (size_t i = 0; i < f->n_group; i++)
		groups[i] =
			(struct auth_group){ f->group[i]->value, text_or_null(f->group[i]->label) };
	a->form = (struct auth_form){
		.id = text_or_null(f->id),
		.message = text_or_null(f->message),
		.error = text_or_null(f->error),
		.fields = fields,
		.n_fields = f->n_input,
		.groups = groups,
		.n_groups = f->n_group,
		.selected = text_or_null(f->selected),
	};
	return ERR_OK;
}

/* Whether the user has one of his own. */
static bool take_profile(const Profile *msg, struct http_profile *out)
{
	if (!msg || !msg->own)
		return false;
	*out = (struct http_profile){ msg->data.data, msg->data.len };
	return true;
}

static enum err take_ticket(struct login_answer *a, const LoginTicket *t)
{
	if (t->cookie.len != sizeof a->ticket)
		return ERR_PROTO;
	memcpy(a->ticket, t->cookie.data, sizeof a->ticket);
	a->own_profile = take_profile(t->profile, &a->profile);
	a->challenge = text_or_null(t->www_authenticate);
	return ERR_OK;
}

static enum err take_nonce(struct login_answer *a, const ProtobufCBinaryData *nonce)
{
	if (nonce->len != sizeof a->nonce)
		return ERR_PROTO;
	memcpy(a->nonce, nonce->data, sizeof a->nonce);
	return ERR_OK;
}

static enum err take_result(struct login_answer *a, const StepResult *m)
{
	switch (m->result_case) {
	case STEP_RESULT__RESULT_FORM:
		a->kind = LOGIN_FORM;
		return take_form(a, m->form);
	case STEP_RESULT__RESULT_TICKET:
		a->kind = LOGIN_TICKET;
		return take_ticket(a, m->ticket);
	case STEP_RESULT__RESULT_DENIED:
		a->kind = LOGIN_DENIED;
		a->reason = m->denied->reason;
		a->detail = text_or_null(m->denied->detail);
		a->challenge = text_or_null(m->denied->www_authenticate);
		a->fallback = m->denied->fallback;
		return ERR_OK;
	case STEP_RESULT__RESULT_REDIRECT:
		a->kind = LOGIN_REDIRECT;
		a->location = m->redirect;
		return ERR_OK;
	case STEP_RESULT__RESULT_SECOND_CERT:
		a->kind = LOGIN_SECOND_CERT;
		return take_nonce(a, &m->second_cert);
	default:
		return ERR_PROTO;
	}
}

static int answer_free(struct login_answer *a)
{
	secret_wipe(a->ticket, sizeof a->ticket);
	secret_wipe(a->context, sizeof a->context);
	return 0;
}

enum err ask_step_answer(TALLOC_CTX *ctx, const StepResult *msg, struct login_answer **out)
{
	struct login_answer *a = talloc_zero(ctx, struct login_answer);
	enum err err;

	if (!a)
		return ERR_NOMEM;
	talloc_set_destructor(a, answer_free);
	a->has_context = msg->context.len == sizeof a->context;
	if (a->has_context)
		memcpy(a->context, msg->context.data, sizeof a->context);
	err = take_result(a, msg);
	if (err)
		talloc_free(a);
	else
		*out = a;
	return err;
}

static enum err env_step(void *arg, TALLOC_CTX *ctx, const struct login_step *step,
			 struct login_answer **out)
{
	struct worker *w = arg;
	Step m = STEP__INIT;
	SecondCert second = SECOND_CERT__INIT;
	Answer answers[AUTH_ANSWERS], *list[AUTH_ANSWERS];
	ToAuth msg = TO_AUTH__INIT;
	const ToWorker *answer = NULL;
	enum err err;

	if (step->context)
		m.context = bytes(step->context, COOKIE_LEN);
	m.vhost = vhost_name(w);
	m.group_url = text(step->group_url);
	fill_client(&m, step);
	fill_cert(&m, w);
	fill_input(&m, answers, list, step->input);
	fill_second(&m, &second, step->second);
	msg.msg_case = TO_AUTH__MSG_STEP;
	msg.step = &m;
	err = io_call(w, ctx, &msg, &answer);
	return err ? err : ask_step_answer(ctx, answer->step, out);
}

/* ---- cookies that came back ---- */

static enum err env_recall(void *arg, TALLOC_CTX *ctx, const struct recall_ask *ask,
			   struct recall_answer *out)
{
	struct worker *w = arg;
	Recall m = RECALL__INIT;
	ToAuth msg = TO_AUTH__INIT;
	const ToWorker *answer = NULL;
	enum err err;

	m.vhost = vhost_name(w);
	if (ask->client->has_ticket)
		m.cookie = bytes(ask->client->ticket, COOKIE_LEN);
	if (ask->client->has_context)
		m.context = bytes(ask->client->context, COOKIE_LEN);
	m.profile = ask->profile;
	m.attempt = ask->attempt;
	msg.msg_case = TO_AUTH__MSG_RECALL;
	msg.recall = &m;
	err = io_call(w, ctx, &msg, &answer);
	if (err)
		return err;
	*out = (struct recall_answer){ .ticket = answer->recalled->ticket,
				       .context = answer->recalled->context };
	out->own_profile = take_profile(answer->recalled->profile, &out->profile);
	return ERR_OK;
}

/* ---- the KDC ---- */

static enum err env_relay(void *arg, TALLOC_CTX *ctx, const struct kdc_ask *ask,
			  struct kdc_answer *out)
{
	struct worker *w = arg;
	Relay m = RELAY__INIT;
	ToAuth msg = TO_AUTH__INIT;
	const ToWorker *answer = NULL;
	enum err err;

	m.vhost = vhost_name(w);
	m.path = text(ask->path);
	m.realm = text(ask->realm);
	m.message = bytes(ask->message, ask->len);
	msg.msg_case = TO_AUTH__MSG_RELAY;
	msg.relay = &m;
	err = io_call(w, ctx, &msg, &answer);
	if (err)
		return err;
	*out = (struct kdc_answer){ answer->relayed->ok, answer->relayed->message.data,
				    answer->relayed->message.len };
	return ERR_OK;
}

/* ---- the tunnel ---- */

static struct addr_net net_of(const Net *n)
{
	struct addr_net net = { 0 };

	if (!n)
		return net;
	net.addr = ipc_addr_read(&n->addr);
	net.prefix = (uint8_t)(n->prefix <= addr_bits(&net.addr) ? n->prefix : 0);
	return net;
}

/* The settings of this user, merged from the host's and the rows that came along. */
static enum err session_conf(TALLOC_CTX *ctx, const struct worker *w, const Tunnel *t,
			     struct session_conf **out)
{
	struct conf_rows rows = { 0 };
	enum err err = conf_rows_from_msg(ctx, t->row, t->n_row, &rows);

	return err ? err : conf_session_new(ctx, w->vhost->host, &rows, NULL, out);
}

static enum err take_tunnel(struct tunnel_grant *g, const struct worker *w, const Tunnel *t)
{
	struct session_conf *conf = NULL;
	enum err err;

	if (!t->session || t->app_id.len != sizeof g->app_id || t->udp_port > UINT16_MAX)
		return ERR_PROTO;
	err = session_conf(g, w, t, &conf);
	if (err)
		return err;
	g->granted = true;
	g->conf = conf;
	g->user = t->session->user;
	g->group = t->session->group;
	g->mobile = t->session->mobile;
	g->v4 = net_of(t->v4);
	g->v6 = net_of(t->v6);
	g->session_left = t->session_left > 0 ? (uint32_t)t->session_left : 0;
	g->udp = t->udp;
	g->udp_port = (uint16_t)t->udp_port;
	g->tun_headers = t->tun_headers;
	g->tun_uso = t->tun_uso;
	memcpy(g->app_id, t->app_id.data, sizeof g->app_id);
	return ERR_OK;
}

static void refused(struct tunnel_grant *g, unsigned status, const char *reason)
{
	g->status = status;
	g->reason = reason;
}

enum err ask_grant(TALLOC_CTX *ctx, const struct worker *w, const ToWorker *msg,
		   struct tunnel_grant **out)
{
	struct tunnel_grant *g = talloc_zero(ctx, struct tunnel_grant);
	enum err err = ERR_OK;

	if (!g)
		return ERR_NOMEM;
	if (msg->msg_case == TO_WORKER__MSG_REFUSE)
		refused(g, msg->refuse->status, msg->refuse->reason);
	else if (msg->msg_case == TO_WORKER__MSG_OPEN_REFUSED)
		refused(g, msg->open_refused->status, msg->open_refused->reason);
	else
		err = take_tunnel(g, w, msg->tunnel);
	/* A value that only we find bad: the client may hear of it as of any other. */
	if (err == ERR_CONF) {
		refused(g, 503, "Server configuration error");
		err = ERR_OK;
	}
	if (err)
		talloc_free(g);
	else
		*out = g;
	return err;
}

static void fill_open(OpenSession *m, const struct worker *w, const struct tunnel_ask *ask)
{
	const struct http_client *c = ask->client;

	m->cookie = bytes(ask->ticket, COOKIE_LEN);
	m->vhost = vhost_name(w);
	m->cert_ok = w->cert.good;
	m->cert_user = cert_user(w);
	m->user_agent = text(c->user_agent);
	m->hostname = text(ask->want->hostname);
	m->device_type = text(c->device_type);
	m->device_platform = text(c->platform);
	m->mobile = c->mobile || ask->want->mobile;
	m->want_v4 = ask->want->want_v4;
	/* openconnect 3 and older do not know what to do with it (compat-checklist 102). */
	m->want_v6 = ask->want->want_v6 && c->agent.class != CLIENT_OCV3;
}

/* The first six characters of the session's name stand for it in logs. */
static void adopt_session(struct worker *w, const Tunnel *t)
{
	w->granted = t;
	str_copy(w->sid_short, 7, t->session->sid);
	w->log.session = w->sid_short;
	w->log.user = t->session->user;
}

static enum err env_open(void *arg, TALLOC_CTX *ctx, const struct tunnel_ask *ask,
			 struct tunnel_grant **out)
{
	struct worker *w = arg;
	OpenSession m = OPEN_SESSION__INIT;
	ToAuth msg = TO_AUTH__INIT;
	const ToWorker *answer = NULL;
	enum err err;

	fill_open(&m, w, ask);
	msg.msg_case = TO_AUTH__MSG_OPEN_SESSION;
	msg.open_session = &m;
	w->state = WORKER_OPENING;
	/* Main's answer stays with the worker: describe repeats it. */
	err = io_call(w, w, &msg, &answer);
	w->state = WORKER_LOGIN;
	if (!err)
		err = ask_grant(ctx, w, answer, out);
	if (!err && (*out)->granted && w->tun < 0)
		err = ERR_PROTO;
	if (!err && (*out)->granted)
		adopt_session(w, answer->tunnel);
	return err;
}

static enum err env_logout(void *arg, const uint8_t ticket[COOKIE_LEN])
{
	ToAuth msg = TO_AUTH__INIT;
	Logout m = LOGOUT__INIT;

	m.cookie = bytes(ticket, COOKIE_LEN);
	msg.msg_case = TO_AUTH__MSG_LOGOUT;
	msg.logout = &m;
	return io_tell_auth(arg, &msg);
}

/* ---- the client ---- */

static void env_verify(void *arg, TALLOC_CTX *ctx, const void *document, size_t len,
		       const struct auth_input *input, struct login_second *out)
{
	second_cert_check(arg, ctx, &(struct der){ document, len }, input, out);
}

static enum err env_read(void *arg, void *data, size_t cap, size_t *len)
{
	return tls_read(arg, data, cap, len);
}

static enum err env_write(void *arg, const void *data, size_t len)
{
	return tls_write(arg, data, len);
}

static bool env_has_more(void *arg)
{
	return tls_has_more(arg);
}

static void env_on_client(void *arg, const struct http_client *client)
{
	struct worker *w = arg;

	if (strcmp(w->facts.user_agent, client->user_agent) == 0)
		return;
	str_copy(w->facts.user_agent, sizeof w->facts.user_agent, client->user_agent);
	tell_info(w);
}

const struct http_env ask_env = {
	.read = env_read,
	.write = env_write,
	.has_more = env_has_more,
	.step = env_step,
	.recall = env_recall,
	.relay = env_relay,
	.verify = env_verify,
	.open = env_open,
	.logout = env_logout,
	.on_client = env_on_client,
};
