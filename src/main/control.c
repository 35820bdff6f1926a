/* control.c - serves occtl.
 *
 * A client connects, sends one request, reads replies until "done" and closes; one that asked for
 * events stays until it closes.  Requests are known by a number that never comes again, so an
 * answer that is late for its client finds nobody. */
#include "main/control.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/chan.h"
#include "ipc/convert.h"
#include "ipc/route.h"
#include "main/control_audit.h"
#include "main/control_client.h"
#include "main/control_pack.h"

enum { LISTENER_LAG = 256 }; /* events a listener may leave unread before it is dropped */

/* ---- requests ---- */

/* The routes hand over the control as "process" and the client as "peer". */
static uint64_t asked(struct client *cl)
{
	client_set_state(cl, CLIENT_ASKED);
	return cl->req;
}

static struct control_target target_of(const CtlWho *who)
{
	return (struct control_target){
		.user = *who->user ? who->user : NULL,
		.id = who->id,
		.sid = *who->sid ? who->sid : NULL,
	};
}

static enum err on_status(struct control *c, struct client *cl, const CtlNothing *msg,
			  struct ipc_fds *fds)
{
	(void)msg;
	(void)fds;
	c->ops->status(c->arg, asked(cl));
	return ERR_OK;
}

static enum err on_users(struct control *c, struct client *cl, const CtlWho *msg,
			 struct ipc_fds *fds)
{
	struct control_target target = target_of(msg);

	(void)fds;
	c->ops->users(c->arg, asked(cl), &target);
	return ERR_OK;
}

static enum err on_sessions(struct control *c, struct client *cl, const CtlNothing *msg,
			    struct ipc_fds *fds)
{
	(void)msg;
	(void)fds;
	cl->for_auth = true;
	c->ops->sessions(c->arg, asked(cl));
	return ERR_OK;
}

static enum err on_bans(struct control *c, struct client *cl, const CtlNothing *msg,
			struct ipc_fds *fds)
{
	(void)msg;
	(void)fds;
	c->ops->bans(c->arg, asked(cl));
	return ERR_OK;
}

/* "user NAME", "id N" or "session SID". */
static void audit_target(struct client *cl, const char *command, const struct control_target *t)
{
	char id[16], *text;

	snprintf(id, sizeof id, "%u", t->id);
	text = talloc_asprintf(NULL, "%s %s",
			       t->user ? "user"
			       : t->id ? "id"
				       : "session",
			       t->user ? t->user
			       : t->id ? id
				       : t->sid);
	audit_asked(cl, command, text ? text : "");
	talloc_free(text);
}

/* admin.md 5: only the last one hears events.  The other one is told, and left to its user. */
static void silence_listener(struct control *c)
{
	CtlDone done = CTL_DONE__INIT;

	for (struct client *cl = c->first; cl; cl = cl->next) {
		if (cl->state != CLIENT_LISTENING)
			continue;
		client_reply(cl, CTL_REPLY__MSG_DONE, &done);
		client_set_state(cl, CLIENT_SILENCED);
	}
}

static enum err on_events(struct control *c, struct client *cl, const CtlNothing *msg,
			  struct ipc_fds *fds)
{
	(void)msg;
	(void)fds;
	silence_listener(c);
	client_set_state(cl, CLIENT_LISTENING);
	return ERR_OK;
}

static enum err on_disconnect(struct control *c, struct client *cl, const CtlWho *msg,
			      struct ipc_fds *fds)
{
	struct control_target target = target_of(msg);

	(void)fds;
	if (!target.user && !target.id)
		return ERR_PROTO;
	audit_target(cl, "disconnect", &target);
	c->ops->disconnect(c->arg, asked(cl), &target);
	return ERR_OK;
}

static enum err on_terminate(struct control *c, struct client *cl, const CtlWho *msg,
			     struct ipc_fds *fds)
{
	struct control_target target = target_of(msg);

	(void)fds;
	if (!target.user && !target.id && !target.sid)
		return ERR_PROTO;
	audit_target(cl, "terminate", &target);
	cl->for_auth = true;
	c->ops->terminate(c->arg, asked(cl), &target);
	return ERR_OK;
}

static enum err on_unban(struct control *c, struct client *cl, const CtlAddr *msg,
			 struct ipc_fds *fds)
{
	struct addr addr = ipc_addr_read(&msg->addr);
	char text[ADDR_TEXT];

	(void)fds;
	if (!addr.family)
		return ERR_PROTO;
	audit_asked(cl, "unban", addr_print(&addr, text));
	c->ops->unban(c->arg, asked(cl), &addr);
	return ERR_OK;
}

static enum err on_reload(struct control *c, struct client *cl, const CtlNothing *msg,
			  struct ipc_fds *fds)
{
	(void)msg;
	(void)fds;
	audit_asked(cl, "reload", "");
	c->ops->reload(c->arg, asked(cl));
	return ERR_OK;
}

static enum err on_stop(struct control *c, struct client *cl, const CtlNothing *msg,
			struct ipc_fds *fds)
{
	(void)msg;
	(void)fds;
	audit_asked(cl, "stop", "");
	c->ops->stop(c->arg, asked(cl));
	return ERR_OK;
}

static enum err on_config(struct control *c, struct client *cl, const CtlConfigOf *msg,
			  struct ipc_fds *fds)
{
	(void)fds;
	if (!*msg->user)
		return ERR_PROTO;
	c->ops->config(c->arg, asked(cl), msg);
	return ERR_OK;
}

/* One request a connection: every row asks for a new client. */
#define CONTROL_ROUTES(R)                                                                          \
	R(CtlRequest, status, CTL_REQUEST__MSG_STATUS, 1, CLIENT_NEW, 0, on_status)                \
	R(CtlRequest, users, CTL_REQUEST__MSG_USERS, 1, CLIENT_NEW, 0, on_users)                   \
	R(CtlRequest, sessions, CTL_REQUEST__MSG_SESSIONS, 1, CLIENT_NEW, 0, on_sessions)          \
	R(CtlRequest, bans, CTL_REQUEST__MSG_BANS, 1, CLIENT_NEW, 0, on_bans)                      \
	R(CtlRequest, events, CTL_REQUEST__MSG_EVENTS, 1, CLIENT_NEW, 0, on_events)                \
	R(CtlRequest, disconnect, CTL_REQUEST__MSG_DISCONNECT, 1, CLIENT_NEW, 0, on_disconnect)    \
	R(CtlRequest, terminate, CTL_REQUEST__MSG_TERMINATE, 1, CLIENT_NEW, 0, on_terminate)       \
	R(CtlRequest, unban, CTL_REQUEST__MSG_UNBAN, 1, CLIENT_NEW, 0, on_unban)                   \
	R(CtlRequest, reload, CTL_REQUEST__MSG_RELOAD, 1, CLIENT_NEW, 0, on_reload)                \
	R(CtlRequest, stop, CTL_REQUEST__MSG_STOP, 1, CLIENT_NEW, 0, on_stop)                      \
	R(CtlRequest, config, CTL_REQUEST__MSG_CONFIG, 1, CLIENT_NEW, 0, on_config)

ROUTES_DEFINE(control_routes, CONTROL_ROUTES)

static void on_message(void *arg, struct chan *chan, const ProtobufCMessage *msg,
		       struct ipc_fds *fds)
{
	struct client *cl = arg;
	struct control *c = cl->control;
	enum err err = route_dispatch(&control_routes, c, cl, 1, cl->state, msg, fds);

	(void)chan;
	if (err) {
		log_warn(NULL, "control-request-refused", kv_err(err));
		talloc_free(cl);
	}
}

static void on_closed(void *arg, struct chan *chan, enum err why)
{
	(void)chan;
	(void)why;
	talloc_free(arg);
}

/* ---- accepting ---- */

/* admin.md 5: root and the server's own user; others are dropped without a word. */
static bool is_permitted(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return false;
	if (cred.uid == 0 || cred.uid == geteuid())
		return true;
	log_notice(NULL, "control-client-refused", kv_u64("uid", cred.uid),
		   kv_u64("pid", (uint64_t)cred.pid));
	return false;
}

static void on_accept(struct ev_loop *loop, ev_io *w, int revents)
{
	static const struct chan_ops ops = { on_message, on_closed };
	struct control *c = w->data;
	int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)loop;
	(void)revents;
	if (fd < 0)
		return;
	if (!is_permitted(fd)) {
		close(fd);
		return;
	}
	client_make_room(c);
	if (client_new(c, fd, &ops))
		log_warn(NULL, "control-client-lost");
}

static int control_destroy(struct control *c)
{
	/* The clients' destructors take them out of the list, so they go while it is there. */
	while (c->first)
		talloc_free(c->first);
	ev_io_stop(c->loop, &c->accept);
	if (c->accept.fd >= 0)
		close(c->accept.fd);
	return 0;
}

enum err control_new(TALLOC_CTX *ctx, struct ev_loop *loop, int fd, const char *path,
		     const struct control_ops *ops, void *arg, struct control **out)
{
	struct control *c = talloc_zero(ctx, struct control);

	if (c)
		c->path = talloc_strdup(c, path);
	if (!c || !c->path) {
		talloc_free(c);
		close(fd);
		return ERR_NOMEM;
	}
	c->loop = loop;
	c->ops = ops;
	c->arg = arg;
	ev_io_init(&c->accept, on_accept, fd, EV_READ);
	c->accept.data = c;
	ev_io_start(loop, &c->accept);
	talloc_set_destructor(c, control_destroy);
	*out = c;
	return ERR_OK;
}

void control_unlink(struct control *c)
{
	if (c->accept.fd < 0)
		return;
	unlink(c->path);
	ev_io_stop(c->loop, &c->accept);
	close(c->accept.fd);
	c->accept.fd = -1;
}

bool control_is_open(const struct control *c)
{
	return c->accept.fd >= 0;
}

/* ---- events ---- */

bool control_has_listener(const struct control *c)
{
	for (const struct client *cl = c->first; cl; cl = cl->next)
		if (cl->state == CLIENT_LISTENING)
			return true;
	return false;
}

/* A listener that does not read is dropped rather than told half of what happened. */
static void tell_listener(struct control *c, CtlEvent *event, const struct control_user *user)
{
	struct client *cl = c->first;

	while (cl && cl->state != CLIENT_LISTENING)
		cl = cl->next;
	if (cl && chan_queued(cl->chan) > LISTENER_LAG) {
		talloc_free(cl);
		return;
	}
	event->user = cl ? control_pack_user(cl, user) : NULL;
	if (event->user)
		client_reply(cl, CTL_REPLY__MSG_EVENT, event);
	talloc_free(event->user);
}

void control_event_connect(struct control *c, const struct control_user *user)
{
	CtlEvent event = CTL_EVENT__INIT;

	event.connected = true;
	tell_listener(c, &event, user);
}

void control_event_disconnect(struct control *c, const struct control_user *user,
			      const char *reason, uint64_t duration)
{
	CtlEvent event = CTL_EVENT__INIT;

	event.reason = (char *)(uintptr_t)reason;
	event.duration = duration;
	tell_listener(c, &event, user);
}
