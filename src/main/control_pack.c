/* control_pack.c - conversion to the messages of ctl.proto. */
#include "main/control_pack.h"

/* The default of every text field, so that "not set" and "" are one thing. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)(s ? s : protobuf_c_empty_string);
}

static char *print(TALLOC_CTX *ctx, const struct addr *a)
{
	char buf[ADDR_TEXT];

	return a->family ? text(talloc_strdup(ctx, addr_print(a, buf))) : text(NULL);
}

static void pack_list(const struct strv *v, size_t *n, char ***item)
{
	*n = v ? v->n : 0;
	*item = v ? v->item : NULL;
}

static void pack_routes(TALLOC_CTX *ctx, const struct conf_routes *r, size_t *n, char ***item)
{
	if (!r || r->n == 0)
		return;
	*item = talloc_array(ctx, char *, (unsigned)r->n);
	for (size_t i = 0; *item && i < r->n; i++)
		(*item)[(*n)++] = text(r->item[i].text);
}

static char *pack_ports(TALLOC_CTX *ctx, const struct conf_ports *ports)
{
	struct buf b;

	if (!ports || ports->n == 0)
		return text(NULL);
	buf_init(&b, ctx, 64 * 1024);
	conf_ports_print(ports, &b);
	return text(buf_text(&b));
}

static const char *state_text(enum control_state state)
{
	switch (state) {
	case CONTROL_PRE_AUTH:
		return "pre-auth";
	case CONTROL_AUTHENTICATING:
		return "authenticating";
	case CONTROL_CONNECTED:
		return "connected";
	case CONTROL_AUTH_FAILED:
		return "auth failed";
	}
	return "unknown";
}

static void pack_texts(const struct control_user *u, CtlUser *out)
{
	out->username = text(u->user);
	out->groupname = text(u->group);
	out->state = text(state_text(u->state));
	out->vhost = text(u->vhost && *u->vhost ? u->vhost : "default");
	out->device = text(u->device);
	out->user_agent = text(u->user_agent);
	out->hostname = text(u->hostname);
	out->sid = text(u->sid);
	out->tls_cipher = text(u->tls_cipher);
	out->dtls_cipher = text(u->dtls_cipher);
	out->cstp_compression = text(u->cstp_compression);
	out->dtls_compression = text(u->dtls_compression);
}

static void pack_numbers(const struct control_user *u, CtlUser *out)
{
	out->id = u->id;
	out->mtu = u->mtu;
	out->limit_rx = u->limit_rx;
	out->limit_tx = u->limit_tx;
	out->rx = u->rx;
	out->tx = u->tx;
	out->dpd = u->dpd;
	out->keepalive = u->keepalive;
	out->connected_at = u->connected_at;
	out->session_started_at = u->session_started_at;
	out->restrict_to_routes = u->restrict_to_routes;
}

CtlUser *control_pack_user(TALLOC_CTX *ctx, const struct control_user *u)
{
	CtlUser *out = talloc(ctx, CtlUser);

	if (!out)
		return NULL;
	ctl_user__init(out);
	pack_texts(u, out);
	pack_numbers(u, out);
	out->remote_ip = print(out, &u->remote);
	out->local_ip = print(out, &u->local);
	out->ipv4 = print(out, &u->v4);
	out->ipv4_server = print(out, &u->v4_server);
	out->ipv6 = print(out, &u->v6);
	out->ipv6_server = print(out, &u->v6_server);
	pack_list(u->dns, &out->n_dns, &out->dns);
	pack_list(u->nbns, &out->n_nbns, &out->nbns);
	pack_list(u->split_dns, &out->n_split_dns, &out->split_dns);
	pack_routes(out, u->routes, &out->n_route, &out->route);
	pack_routes(out, u->no_routes, &out->n_no_route, &out->no_route);
	pack_routes(out, u->iroutes, &out->n_iroute, &out->iroute);
	out->restrict_to_ports = pack_ports(out, u->restrict_to_ports);
	return out;
}

void control_pack_status(const struct control_status *in, CtlStatus *out)
{
	ctl_status__init(out);
	out->main_pid = (uint32_t)in->main_pid;
	out->auth_pid = (uint32_t)in->auth_pid;
	out->auth_instances = 1;
	out->up_since = in->up_since;
	out->active_sessions = in->active_sessions;
	out->total_sessions = in->total_sessions;
	out->total_auth_failures = in->total_auth_failures;
	out->banned = in->banned;
	out->tls_db_entries = in->tls_db_entries;
	out->stats_since = in->stats_since;
	out->handled = in->handled;
	out->session_timeouts = in->session_timeouts;
	out->idle_timeouts = in->idle_timeouts;
	out->errors = in->errors;
	out->auth_failures = in->auth_failures;
	out->avg_auth_time = in->avg_auth_time;
	out->max_auth_time = in->max_auth_time;
	out->avg_session_time = in->avg_session_time;
	out->max_session_time = in->max_session_time;
	out->min_mtu = in->min_mtu;
	out->max_mtu = in->max_mtu;
	out->rx_bytes = in->rx_bytes;
	out->tx_bytes = in->tx_bytes;
	out->keys = (ServerKeys *)(uintptr_t)in->keys; /* only read */
}
