/* messages.c - handlers and route table of a worker. */
#include "worker/messages.h"

#include "ipc/convert.h"
#include "ipc/route.h"
#include "worker/io.h"
#include "worker/tell.h"
#include "worker/tunnel.h"

enum { ANY_STATE = WORKER_LOGIN | WORKER_OPENING | WORKER_TUNNEL };

/* An answer is recognised by the question that waits; io_call picks it up. */
static enum err answered(struct worker *w, const ToWorker *top)
{
	if (!w->call.request || w->call.answer)
		return ERR_STATE;
	w->call.answer = top;
	return ERR_OK;
}

static enum err on_signed(struct worker *w, const ToWorker *top, const Signed *msg,
			  struct ipc_fds *fds)
{
	(void)msg;
	(void)fds;
	return w->call.request && w->call.request->msg_case == TO_AUTH__MSG_SIGN ? answered(w, top)
										 : ERR_STATE;
}

static enum err on_step(struct worker *w, const ToWorker *top, const StepResult *msg,
			struct ipc_fds *fds)
{
	(void)msg;
	(void)fds;
	return w->call.request && w->call.request->msg_case == TO_AUTH__MSG_STEP ? answered(w, top)
										 : ERR_STATE;
}

static enum err on_relayed(struct worker *w, const ToWorker *top, const Relayed *msg,
			   struct ipc_fds *fds)
{
	(void)msg;
	(void)fds;
	return w->call.request && w->call.request->msg_case == TO_AUTH__MSG_RELAY ? answered(w, top)
										  : ERR_STATE;
}

static enum err on_recalled(struct worker *w, const ToWorker *top, const Recalled *msg,
			    struct ipc_fds *fds)
{
	(void)msg;
	(void)fds;
	return w->call.request && w->call.request->msg_case == TO_AUTH__MSG_RECALL
		       ? answered(w, top)
		       : ERR_STATE;
}

static enum err on_ticket_key(struct worker *w, const ToWorker *top, const TicketKey *msg,
			      struct ipc_fds *fds)
{
	(void)msg;
	(void)fds;
	return w->call.request && w->call.request->msg_case == TO_AUTH__MSG_TICKET_FIND
		       ? answered(w, top)
		       : ERR_STATE;
}

static enum err on_tunnel(struct worker *w, const ToWorker *top, const Tunnel *msg,
			  struct ipc_fds *fds)
{
	enum err err = answered(w, top);

	(void)msg;
	if (!err)
		w->tun = ipc_fds_take(fds, 0);
	return err;
}

static enum err on_refuse(struct worker *w, const ToWorker *top, const Refuse *msg,
			  struct ipc_fds *fds)
{
	(void)msg;
	(void)fds;
	return answered(w, top);
}

static enum err on_open_refused(struct worker *w, const ToWorker *top, const OpenRefused *msg,
				struct ipc_fds *fds)
{
	(void)msg;
	(void)fds;
	return answered(w, top);
}

/* Auth was restarted: it does not know what we asked. */
static enum err on_auth_hello(struct worker *w, const ToWorker *top, const AuthHello *msg,
			      struct ipc_fds *fds)
{
	(void)top;
	(void)msg;
	(void)fds;
	if (!w->call.request || w->call.answer)
		return ERR_OK;
	return io_tell_auth(w, w->call.request);
}

static enum err on_udp(struct worker *w, const ToWorker *top, const UdpPeer *msg,
		       struct ipc_fds *fds)
{
	struct endpoint peer = ipc_endpoint_read(msg->remote);
	int fd = ipc_fds_take(fds, 0);

	(void)top;
	if (fd < 0)
		return ERR_PROTO;
	tunnel_udp(w->tunnel, fd, &peer, msg->hello, msg->datagram.data, msg->datagram.len);
	return ERR_OK;
}

static enum err on_end(struct worker *w, const ToWorker *top, const End *msg, struct ipc_fds *fds)
{
	(void)top;
	(void)fds;
	worker_end(w, msg->reason, msg->tell_client);
	return ERR_OK;
}

/* The answer to tell_proxied; after a restart of main there may be two. */
static enum err on_admitted(struct worker *w, const ToWorker *top, const Admitted *msg,
			    struct ipc_fds *fds)
{
	(void)top;
	(void)msg;
	(void)fds;
	w->admitted = true;
	return ERR_OK;
}

/* Main was restarted.  If it took our tunnel request with it, the request is made again. */
static enum err on_describe(struct worker *w, const ToWorker *top, const Describe *msg,
			    struct ipc_fds *fds)
{
	(void)top;
	(void)msg;
	(void)fds;
	tell_description(w);
	if (w->tunnel)
		tell_counters(w, tunnel_counters(w->tunnel));
	if (w->proxy_read && !w->admitted)
		tell_proxied(w);
	if (w->state == WORKER_OPENING && w->call.request && !w->call.answer)
		return io_tell_auth(w, w->call.request);
	return ERR_OK;
}

/*	top  message  case  senders  states  descriptors  handler */
#define WORKER_ROUTES(R)                                                                           \
	R(ToWorker, tunnel, TO_WORKER__MSG_TUNNEL, FROM_MAIN, WORKER_OPENING, 1, on_tunnel)        \
	R(ToWorker, refuse, TO_WORKER__MSG_REFUSE, FROM_MAIN, WORKER_OPENING, 0, on_refuse)        \
	R(ToWorker, udp, TO_WORKER__MSG_UDP, FROM_MAIN, WORKER_TUNNEL, 1, on_udp)                  \
	R(ToWorker, end, TO_WORKER__MSG_END, FROM_MAIN, ANY_STATE, 0, on_end)                      \
	R(ToWorker, describe, TO_WORKER__MSG_DESCRIBE, FROM_MAIN, ANY_STATE, 0, on_describe)       \
	R(ToWorker, admitted, TO_WORKER__MSG_ADMITTED, FROM_MAIN, WORKER_LOGIN, 0, on_admitted)    \
	R(ToWorker, signed_, TO_WORKER__MSG_SIGNED, FROM_AUTH, ANY_STATE, 0, on_signed)            \
	R(ToWorker, step, TO_WORKER__MSG_STEP, FROM_AUTH, WORKER_LOGIN, 0, on_step)                \
	R(ToWorker, recalled, TO_WORKER__MSG_RECALLED, FROM_AUTH, WORKER_LOGIN, 0, on_recalled)    \
	R(ToWorker, relayed, TO_WORKER__MSG_RELAYED, FROM_AUTH, WORKER_LOGIN, 0, on_relayed)       \
	R(ToWorker, ticket_key, TO_WORKER__MSG_TICKET_KEY, FROM_AUTH, WORKER_LOGIN, 0,             \
	  on_ticket_key)                                                                           \
	R(ToWorker, open_refused, TO_WORKER__MSG_OPEN_REFUSED, FROM_AUTH, WORKER_OPENING, 0,       \
	  on_open_refused)                                                                         \
	R(ToWorker, auth_hello, TO_WORKER__MSG_AUTH_HELLO, FROM_AUTH, ANY_STATE, 0, on_auth_hello)

ROUTES_DEFINE(worker_routes, WORKER_ROUTES)

void messages_dispatch(struct worker *w, enum worker_sender sender, const ProtobufCMessage *msg,
		       struct ipc_fds *fds)
{
	const ToWorker *top = (const ToWorker *)msg;
	enum err err = route_dispatch(&worker_routes, w, (void *)(uintptr_t)top, sender, w->state,
				      msg, fds);

	if (err)
		log_warn(&w->log, "message-dropped",
			 kv_str("message", ipc_case_name(msg->descriptor, ipc_case(msg))),
			 kv_err(err));
}
