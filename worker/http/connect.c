/* connect.c - CONNECT and its answer. */
#include "worker/http/connect.h"

#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "wire/mtu.h"
#include "wire/template.h"

enum {
	REKEY_FUZZ = 30,	  /* seconds: clients of one restart shall not rekey in step */
	REKEY_PASSIVE = 31536000, /* TLS 1.3: the server updates its keys itself (2.8) */
};

/* ---- the plan ---- */

static void plan_dtls(const struct http_dialogue *d, const struct http_client *client,
		      const struct cstp_request *want, const struct tunnel_grant *grant,
		      struct tunnel_plan *plan)
{
	const struct dtls_policy policy = {
		.udp = grant->udp && !grant->conf->no_udp,
		.psk = d->conf->dtls_psk && !d->peer->no_dtls_psk,
		.legacy = d->host->dtls_legacy || d->host->cisco_client_compat,
		.own_tls = true,
		.match = d->host->match_tls_dtls_ciphers,
		/* protocol.md 4.22: phones can keep one cipher going only. */
		.only_tls_cipher = client->agent.class == CLIENT_IPPHONE,
		.tls_cipher = d->peer->cipher,
		.tls_mac = d->peer->mac,
	};

	plan->dtls = dtls_choose(&policy, &want->dtls);
	memcpy(plan->master_secret, want->master_secret, sizeof plan->master_secret);
}

/* For each channel of its own (protocol.md 5.9). */
static void plan_compression(const struct http_dialogue *d, const struct cstp_request *want,
			     struct tunnel_plan *plan)
{
	const struct conf_algos *prefer = &d->conf->compression_algo_priority;

	if (!d->host->compression)
		return;
	plan->cstp_encoding = cstp_encoding_choose(want->cstp_encodings, prefer->lz4, prefer->lzs);
	if (plan->dtls.mode != DTLS_NONE)
		plan->dtls_encoding =
			cstp_encoding_choose(want->dtls_encodings, prefer->lz4, prefer->lzs);
}

/* Without a cipher of its own the choice is open between AEAD ciphers (our DTLS priorities have no
 * other), of which AES-GCM adds most; the same where UDP may never come up, so that the tunnel's
 * MTU does not depend on that. */
static unsigned overhead_of(const struct dtls_choice *dtls)
{
	if (dtls->mode == DTLS_NONE || dtls->cipher == SUITE_CIPHER_UNKNOWN)
		return mtu_overhead(SUITE_AES_256_GCM, SUITE_AEAD);
	return mtu_overhead(dtls->cipher, dtls->mac);
}

/* protocol.md 5.5; an IPv6 that does not fit is withdrawn, and then asks for less. */
static void plan_mtu(const struct http_dialogue *d, const struct cstp_request *want,
		     struct tunnel_plan *plan)
{
	struct mtu_claims claims = {
		.base_mtu = want->base_mtu,
		.client_mtu = want->mtu,
		.path_mtu = d->peer->path_mtu,
		.outer_v6 = d->peer->outer_v6,
		.inner_v6 = plan->v6.addr.family != 0,
	};
	uint32_t limit = plan->grant->conf->mtu;

	plan->link_mtu = mtu_link(&claims);
	plan->data_mtu = mtu_data(plan->link_mtu, claims.outer_v6, overhead_of(&plan->dtls));
	if (limit && plan->data_mtu > limit)
		plan->data_mtu = limit;
	if (plan->v6.addr.family && plan->data_mtu < MTU_IPV6_MIN) {
		plan->v6.addr.family = 0;
		plan_mtu(d, want, plan);
	}
}

/* protocol.md 2.8. */
static void plan_rekey(const struct http_dialogue *d, struct tunnel_plan *plan)
{
	uint8_t fuzz;

	if (d->host->rekey_time == 0)
		return;
	secret_random(&fuzz, sizeof fuzz);
	plan->rekey_time = d->host->rekey_time + fuzz % REKEY_FUZZ;
	plan->rekey = d->host->rekey_method == CONF_REKEY_SSL &&
				      (d->peer->tls13 || d->peer->safe_renegotiation)
			      ? CSTP_REKEY_SSL
			      : CSTP_REKEY_NEW_TUNNEL;
}

void connect_plan(const struct http_dialogue *d, const struct http_client *client,
		  const struct cstp_request *want, struct tunnel_grant *grant,
		  struct tunnel_plan *out)
{
	const struct session_conf *s = grant->conf;
	bool mobile = grant->mobile || client->mobile || want->mobile;

	*out = (struct tunnel_plan){
		.grant = grant,
		.v6 = grant->v6,
		.keepalive = s->keepalive,
		.dpd = mobile ? s->mobile_dpd : s->dpd,
		.idle_timeout = mobile ? s->mobile_idle_timeout : s->idle_timeout,
	};
	plan_dtls(d, client, want, grant, out);
	plan_compression(d, want, out);
	plan_mtu(d, want, out);
	plan_rekey(d, out);
}

/* ---- the answer ---- */

/* Headers with %{U} and %{G}; one with anything else behind % is left out (config.md 8.13). */
static char *expand(struct exchange *x, const struct tunnel_grant *g, const char *text)
{
	const struct template_var vars[] = { { "U", g->user, false },
					     { "G", g->group, false },
					     { 0 } };
	char *out = NULL;

	if (!text || template_expand(x->ctx, text, vars, &out))
		return NULL;
	return out;
}

static enum err expand_list(struct exchange *x, const struct tunnel_grant *g,
			    const struct strv *lines, struct strv *out)
{
	for (size_t i = 0; i < lines->n; i++) {
		char *line = expand(x, g, lines->item[i]);
		enum err err = line ? strv_add(x->ctx, out, line) : ERR_OK;
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err route_texts(TALLOC_CTX *ctx, const struct conf_routes *routes, struct strv *out)
{
	for (size_t i = 0; i < routes->n; i++) {
		enum err err = strv_add(ctx, out, routes->item[i].text);
		if (err)
			return err;
	}
	return ERR_OK;
}

/* Lists that are not in the configuration as they are sent. */
struct lists {
	struct strv routes, no_routes, custom;
};

static enum err make_lists(struct exchange *x, const struct tunnel_grant *g, struct lists *l)
{
	enum err err = ERR_OK;

	if (!g->conf->default_route)
		err = route_texts(x->ctx, &g->conf->route, &l->routes);
	if (!err)
		err = route_texts(x->ctx, &g->conf->no_route, &l->no_routes);
	if (!err)
		err = expand_list(x, g, &x->d->host->custom_header, &l->custom);
	return err;
}

static void fill_session(struct cstp_response *r, const struct tunnel_plan *plan)
{
	const struct session_conf *s = plan->grant->conf;

	r->v4 = plan->grant->v4;
	r->v6 = plan->v6;
	r->dns = &s->dns;
	r->nbns = &s->nbns;
	r->split_dns = &s->split_dns;
	r->tunnel_all_dns = s->tunnel_all_dns;
	r->client_bypass = s->client_bypass_protocol;
	r->dpd = plan->dpd;
	r->keepalive = plan->keepalive;
	r->idle_timeout = plan->idle_timeout;
	r->session_timeout = s->session_timeout;
	r->session_left = plan->grant->session_left;
	r->rekey = plan->rekey;
	r->dtls = plan->dtls;
	r->udp_port = plan->grant->udp_port;
	r->base_mtu = plan->link_mtu;
	r->mtu = plan->data_mtu;
	r->cstp_encoding = cstp_encoding_name(plan->cstp_encoding);
	r->dtls_encoding = cstp_encoding_name(plan->dtls_encoding);
	memcpy(r->app_id, plan->grant->app_id, sizeof r->app_id);
}

static enum err build_answer(struct exchange *x, const struct cstp_request *want,
			     struct tunnel_plan *plan)
{
	const struct host_conf *host = x->d->host;
	const struct session_conf *s = plan->grant->conf;
	bool passive = x->d->peer->tls13 && plan->rekey == CSTP_REKEY_SSL;
	struct lists lists = { 0 };
	struct cstp_response r = {
		.agent = x->client->agent,
		.full_ipv6 = want->full_ipv6,
		.hostname = s->hostname && *s->hostname ? s->hostname : want->hostname,
		.default_domain = host->default_domain,
		.routes = &lists.routes,
		.no_routes = &lists.no_routes,
		.dyndns = host->listen_host_is_dyndns,
		.smartcard_removal = true, /* as ocserv: whoever pulls his card has left */
		.rekey_time = passive ? REKEY_PASSIVE : plan->rekey_time,
		.pac_url = expand(x, plan->grant, host->proxy_url),
		.banner = host->banner,
		.custom = &lists.custom,
		.security = exchange_security(x),
	};
	enum err err = make_lists(x, plan->grant, &lists);

	if (err)
		return err;
	fill_session(&r, plan);
	buf_init(&plan->head, plan, CSTP_RESPONSE_MAX);
	cstp_response_build(&plan->head, &r);
	return plan->head.failed ? ERR_CONF : ERR_OK;
}

/* ---- the request ---- */

bool connect_has_ticket(const struct http_request *req)
{
	for (size_t i = 0; i < req->n_headers; i++) {
		const char *p = req->headers[i].value;
		if (strcasecmp(req->headers[i].name, "cookie") != 0)
			continue;
		for (; p; p = strchr(p, ';'), p = p ? p + 1 : NULL) {
			p += strspn(p, " \t");
			if (str_starts(p, "webvpn=") && p[7] != '\0' && p[7] != ';')
				return true;
		}
	}
	return false;
}

static const char bad_ticket[] = "Cookie is not acceptable";

/* 503 shows its reason to the user, 401 tells the client not to come back (protocol.md 5.4). */
static void refuse(struct exchange *x, unsigned status, const char *reason)
{
	if (status == 503) {
		exchange_error(x, 503, "Service Unavailable", reason);
		return;
	}
	x->denied = true;
	exchange_error(x, 401, reason && *reason ? reason : bad_ticket, NULL);
}

/* Auth says it of cookies that could be one; this one is not even asked about. */
static void refuse_malformed(struct exchange *x)
{
	log_warn(x->d->log, "cookie-refused", kv_text("failed cookie authentication attempt"));
	refuse(x, 401, bad_ticket);
}

static int plan_free(struct tunnel_plan *plan)
{
	secret_wipe(plan->master_secret, sizeof plan->master_secret);
	return 0;
}

/* Everything that outlives the exchange hangs on the plan. */
static enum err accept_grant(struct exchange *x, const struct cstp_request *want,
			     struct tunnel_plan *plan, struct tunnel_grant *grant)
{
	enum err err;

	connect_plan(x->d, x->client, want, grant, plan);
	err = build_answer(x, want, plan);
	if (err == ERR_CONF) {
		log_err(x->d->log, "connect-answer-failed", kv_err(err));
		refuse(x, 503, "Server configuration error");
		return ERR_OK;
	}
	if (!err)
		x->plan = plan;
	return err;
}

enum err connect_handle(struct exchange *x)
{
	struct tunnel_ask ask = { .ticket = x->client->ticket, .client = x->client };
	struct tunnel_plan *plan;
	struct tunnel_grant *grant = NULL;
	struct cstp_request *want = NULL;
	enum err err;

	if (!x->client->has_ticket) {
		if (connect_has_ticket(x->req))
			refuse_malformed(x);
		else
			refuse(x, 503, "No cookie");
		return ERR_OK;
	}
	err = cstp_request_parse(x->ctx, x->req, &want);
	plan = talloc_zero(x->plan_ctx, struct tunnel_plan);
	if (err || !plan)
		return ERR_NOMEM;
	talloc_set_destructor(plan, plan_free);
	/* config.md 12.3: the old agents ask for IPv6, but cannot use it. */
	if (x->client->agent.class == CLIENT_OCV3)
		want->want_v6 = false;
	ask.want = want;
	err = x->d->env->open(x->d->arg, plan, &ask, &grant);
	if (err)
		return err;
	if (grant->granted)
		return accept_grant(x, want, plan, grant);
	refuse(x, grant->status, grant->reason);
	return ERR_OK;
}
