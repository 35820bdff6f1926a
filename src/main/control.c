/* control.c - serves occtl.
 *
 * A client connects, sends one request, reads replies until "done" and closes; one that asked for
 * events stays until it closes.  Requests are known by a number that never comes again, so an
 * answer that is late for its client finds nobody. */
#include "main/control.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/chan.h"
#include "ipc/convert.h"
#include "ipc/route.h"
#include "main/control_pack.h"

enum {
	CLIENTS_MAX = 64,    /* occtl at once */
	BATCH = 32,	     /* users or bans in one reply, */
	BATCH_BYTES = 65536, /* and about so many bytes */
	LISTENER_LAG = 256,  /* events a listener may leave unread before it is dropped */
};

enum client_state { ST_NEW = 1, ST_ASKED = 2, ST_LISTENING = 4 };

struct client {
	struct control *control;
	struct chan *chan;
	uint64_t req;
	enum client_state state;
	/* Rows that wait to fill a reply; children of `rows`. */
	TALLOC_CTX *rows;
	CtlUser *user[BATCH];
	CtlBan *ban[BATCH];
	size_t n_user, n_ban, bytes;
	struct client *next;
};

struct control {
	struct ev_loop *loop;
	ev_io accept;
	char *path;
	const struct control_ops *ops;
	void *arg;
	struct client *first;
	size_t n;
	uint64_t last_req;
};

/* ---- clients and replies ---- */

static int client_destroy(struct client *cl)
{
	struct client **p = &cl->control->first;

	while (*p != cl)
		p = &(*p)->next;
	*p = cl->next;
	cl->control->n--;
	return 0;
}

static void send_reply(struct client *cl, CtlReply__MsgCase kind, void *field)
{
	CtlReply reply = CTL_REPLY__INIT;

	reply.msg_case = kind;
	reply.done = field; /* all members of the union are message pointers */
	if (chan_send(cl->chan, &reply.base, NULL, 0))
		log_debug(NULL, "control-reply-lost", kv_u64("request", cl->req));
}

static void flush(struct client *cl)
{
	CtlUsers users = CTL_USERS__INIT;
	CtlBans bans = CTL_BANS__INIT;

	users.n_user = cl->n_user;
	users.user = cl->user;
	bans.n_ban = cl->n_ban;
	bans.ban = cl->ban;
	if (cl->n_user)
		send_reply(cl, CTL_REPLY__MSG_USERS, &users);
	if (cl->n_ban)
		send_reply(cl, CTL_REPLY__MSG_BANS, &bans);
	cl->n_user = cl->n_ban = cl->bytes = 0;
	talloc_free_children(cl->rows);
}

static struct client *find(const struct control *c, uint64_t req)
{
	struct client *cl = c->first;

	while (cl && cl->req != req)
		cl = cl->next;
	return cl && cl->state == ST_ASKED ? cl : NULL;
}

void control_reply_status(struct control *c, uint64_t req, const struct control_status *status)
{
	struct client *cl = find(c, req);
	CtlStatus msg;

	if (!cl)
		return;
	control_pack_status(status, &msg);
	send_reply(cl, CTL_REPLY__MSG_STATUS, &msg);
}

/* A copy of MSG that borrows nothing, to wait with others for one reply; NULL without memory. */
static void *keep_row(struct client *cl, const ProtobufCMessage *msg)
{
	size_t len = protobuf_c_message_get_packed_size(msg);
	ProtobufCMessage *copy = NULL;
	uint8_t *data;

	if (cl->bytes + len > BATCH_BYTES || cl->n_user == BATCH || cl->n_ban == BATCH)
		flush(cl);
	data = talloc_size(NULL, len);
	if (!data)
		return NULL;
	protobuf_c_message_pack(msg, data);
	if (ipc_unpack(cl->rows, msg->descriptor, data, len, &copy))
		copy = NULL;
	talloc_free(data);
	cl->bytes += len;
	return copy;
}

void control_reply_user(struct control *c, uint64_t req, const struct control_user *user)
{
	struct client *cl = find(c, req);
	CtlUser *msg = cl ? control_pack_user(cl, user) : NULL, *row;

	if (!msg)
		return;
	row = keep_row(cl, &msg->base);
	if (row)
		cl->user[cl->n_user++] = row;
	talloc_free(msg);
}

void control_reply_ban(struct control *c, uint64_t req, const struct ban_entry *ban)
{
	struct client *cl = find(c, req);
	char ip[ADDR_TEXT];
	CtlBan msg = CTL_BAN__INIT, *row;

	if (!cl)
		return;
	msg.ip = addr_print(&ban->addr, ip);
	msg.score = ban->score;
	msg.expires = ban->expires;
	msg.banned = ban->banned;
	row = keep_row(cl, &msg.base);
	if (row)
		cl->ban[cl->n_ban++] = row;
}

void control_reply_sessions(struct control *c, uint64_t req, SessionRow *const *row, size_t n)
{
	struct client *cl = find(c, req);

	for (size_t i = 0; cl && i < n; i += BATCH) {
		CtlSessions msg = CTL_SESSIONS__INIT;
		msg.n_session = n - i < BATCH ? n - i : BATCH;
		msg.session = (SessionRow **)(uintptr_t)(row + i);
		send_reply(cl, CTL_REPLY__MSG_SESSIONS, &msg);
	}
}

static void finish(struct control *c, uint64_t req, CtlDone *done)
{
	struct client *cl = find(c, req);

	if (!cl)
		return;
	flush(cl);
	send_reply(cl, CTL_REPLY__MSG_DONE, done);
}

void control_done_sids(struct control *c, uint64_t req, CtlResult result, char *const *sid,
		       size_t n)
{
	CtlDone done = CTL_DONE__INIT;

	done.result = result;
	done.sid = (char **)(uintptr_t)sid;
	done.n_sid = n;
	finish(c, req, &done);
}

void control_done_text(struct control *c, uint64_t req, CtlResult result, char *const *line,
		       size_t n)
{
	CtlDone done = CTL_DONE__INIT;

	done.result = result;
	done.text = (char **)(uintptr_t)line;
	done.n_text = n;
	finish(c, req, &done);
}

void control_done(struct control *c, uint64_t req, CtlResult result)
{
	control_done_sids(c, req, result, NULL, 0);
}

/* ---- requests ---- */

/* The routes hand over the control as "process" and the client as "peer". */
static uint64_t asked(struct client *cl)
{
	cl->state = ST_ASKED;
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

static enum err on_events(struct control *c, struct client *cl, const CtlNothing *msg,
			  struct ipc_fds *fds)
{
	(void)c;
	(void)msg;
	(void)fds;
	cl->state = ST_LISTENING;
	return ERR_OK;
}

static enum err on_disconnect(struct control *c, struct client *cl, const CtlWho *msg,
			      struct ipc_fds *fds)
{
	struct control_target target = target_of(msg);

	(void)fds;
	if (!target.user && !target.id)
		return ERR_PROTO;
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
	c->ops->terminate(c->arg, asked(cl), &target);
	return ERR_OK;
}

static enum err on_unban(struct control *c, struct client *cl, const CtlAddr *msg,
			 struct ipc_fds *fds)
{
	struct addr addr = ipc_addr_read(&msg->addr);

	(void)fds;
	if (!addr.family)
		return ERR_PROTO;
	c->ops->unban(c->arg, asked(cl), &addr);
	return ERR_OK;
}

static enum err on_reload(struct control *c, struct client *cl, const CtlNothing *msg,
			  struct ipc_fds *fds)
{
	(void)msg;
	(void)fds;
	c->ops->reload(c->arg, asked(cl));
	return ERR_OK;
}

static enum err on_stop(struct control *c, struct client *cl, const CtlNothing *msg,
			struct ipc_fds *fds)
{
	(void)msg;
	(void)fds;
	c->ops->stop(c->arg, asked(cl));
	return ERR_OK;
}

/* One request a connection: every row asks for a new client. */
#define CONTROL_ROUTES(R)                                                                          \
	R(CtlRequest, status, CTL_REQUEST__MSG_STATUS, 1, ST_NEW, 0, on_status)                    \
	R(CtlRequest, users, CTL_REQUEST__MSG_USERS, 1, ST_NEW, 0, on_users)                       \
	R(CtlRequest, sessions, CTL_REQUEST__MSG_SESSIONS, 1, ST_NEW, 0, on_sessions)              \
	R(CtlRequest, bans, CTL_REQUEST__MSG_BANS, 1, ST_NEW, 0, on_bans)                          \
	R(CtlRequest, events, CTL_REQUEST__MSG_EVENTS, 1, ST_NEW, 0, on_events)                    \
	R(CtlRequest, disconnect, CTL_REQUEST__MSG_DISCONNECT, 1, ST_NEW, 0, on_disconnect)        \
	R(CtlRequest, terminate, CTL_REQUEST__MSG_TERMINATE, 1, ST_NEW, 0, on_terminate)           \
	R(CtlRequest, unban, CTL_REQUEST__MSG_UNBAN, 1, ST_NEW, 0, on_unban)                       \
	R(CtlRequest, reload, CTL_REQUEST__MSG_RELOAD, 1, ST_NEW, 0, on_reload)                    \
	R(CtlRequest, stop, CTL_REQUEST__MSG_STOP, 1, ST_NEW, 0, on_stop)

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

static enum err client_new(struct control *c, int fd)
{
	static const struct chan_ops ops = { on_message, on_closed };
	struct client *cl = talloc_zero(c, struct client);
	enum err err;

	if (!cl) {
		close(fd);
		return ERR_NOMEM;
	}
	cl->control = c;
	cl->req = ++c->last_req;
	cl->state = ST_NEW;
	cl->next = c->first;
	c->first = cl;
	c->n++;
	talloc_set_destructor(cl, client_destroy);
	cl->rows = talloc_new(cl);
	err = chan_new(cl, c->loop, fd, &ctl_request__descriptor, &ops, cl, &cl->chan);
	if (err) {
		close(fd);
		talloc_free(cl);
	}
	return err;
}

static void on_accept(struct ev_loop *loop, ev_io *w, int revents)
{
	struct control *c = w->data;
	int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)loop;
	(void)revents;
	if (fd < 0)
		return;
	if (c->n >= CLIENTS_MAX || !is_permitted(fd)) {
		close(fd);
		return;
	}
	if (client_new(c, fd))
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

/* ---- events ---- */

bool control_has_listeners(const struct control *c)
{
	for (const struct client *cl = c->first; cl; cl = cl->next)
		if (cl->state == ST_LISTENING)
			return true;
	return false;
}

/* A listener that does not read is dropped rather than told half of what happened. */
static void tell_listeners(struct control *c, CtlEvent *event, const struct control_user *user)
{
	struct client *next;

	event->user = control_pack_user(c, user);
	for (struct client *cl = c->first; event->user && cl; cl = next) {
		next = cl->next;
		if (cl->state != ST_LISTENING)
			continue;
		if (chan_queued(cl->chan) > LISTENER_LAG)
			talloc_free(cl);
		else
			send_reply(cl, CTL_REPLY__MSG_EVENT, event);
	}
	talloc_free(event->user);
}

void control_event_connect(struct control *c, const struct control_user *user)
{
	CtlEvent event = CTL_EVENT__INIT;

	event.connected = true;
	tell_listeners(c, &event, user);
}

void control_event_disconnect(struct control *c, const struct control_user *user,
			      const char *reason, uint64_t duration)
{
	CtlEvent event = CTL_EVENT__INIT;

	event.reason = (char *)(uintptr_t)reason;
	event.duration = duration;
	tell_listeners(c, &event, user);
}
