/* on_super.c - messages of the supervisor: what it kept for us, and who our peers are. */
#include <unistd.h>

#include "auth/account.h"
#include "auth/open.h"
#include "auth/process.h"
#include "ipc/route.h"
#include "ipc/super.pb-c.h"

/* The sessions of the instance before us. */
static enum err restore_journal(struct auth *a, int fd)
{
	enum err err;

	if (a->journal)
		return ERR_STATE;
	err = journal_open(a, fd, &a->journal);
	if (err)
		log_err(NULL, "journal-lost", kv_err(err));
	return ERR_OK; /* without it there are no old sessions, but new ones */
}

/* The note is the message that announced the worker; without it we know less, but can serve it. */
static enum err restore_worker(struct auth *a, const FdRestored *msg, int fd)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	ProtobufCMessage *note = NULL;
	WorkerNew worker = WORKER_NEW__INIT;
	enum err err;

	if (!ipc_unpack(tmp, &worker_new__descriptor, msg->note.data, msg->note.len, &note))
		worker = *(const WorkerNew *)(const void *)note;
	worker.worker_id = msg->id;
	err = worker_add(a, &worker, fd, true);
	talloc_free(tmp);
	return err;
}

static enum err on_fd_restored(struct auth *a, void *peer, const FdRestored *msg,
			       struct ipc_fds *fds)
{
	int fd = ipc_fds_take(fds, 0);

	(void)peer;
	if (fd < 0)
		return ERR_PROTO;
	if (msg->kind == FD_KIND__FD_JOURNAL_AUTH)
		return restore_journal(a, fd);
	if (msg->kind == FD_KIND__FD_WORKER_AUTH)
		return restore_worker(a, msg, fd);
	close(fd);
	return ERR_OK;
}

/* The first instance makes it; from now on the supervisor's copy keeps it alive. */
static enum err new_journal(struct auth *a)
{
	ToSuper top = TO_SUPER__INIT;
	KeepFd keep = KEEP_FD__INIT;
	enum err err = journal_open(a, -1, &a->journal);
	int fd;

	if (err)
		return err;
	keep.kind = FD_KIND__FD_JOURNAL_AUTH;
	top.msg_case = TO_SUPER__MSG_KEEP_FD;
	top.keep_fd = &keep;
	fd = journal_fd(a->journal);
	return chan_send(a->super, &top.base, &fd, 1);
}

/* Everything kept has been handed over: the sessions can be built again. */
static enum err on_start(struct auth *a, void *peer, const Start *msg, struct ipc_fds *fds)
{
	enum err err = ERR_OK;

	(void)peer;
	(void)fds;
	if (!a->journal)
		err = new_journal(a);
	if (!err)
		err = store_new(a, a->journal, &a->store);
	if (!err)
		err = accounts_open(a);
	if (err)
		return err;
	store_restore(a->store);
	sessions_reconcile(a);
	accounts_reconcile(a);
	a->phase = AUTH_WAITING;
	if (msg->restarted)
		log_notice(NULL, "auth-restarted", kv_u64("sessions", store_count(a->store)));
	else
		log_info(NULL, "auth-started", kv_text("sec-mod initialized (socket: inherited)"));
	return ERR_OK;
}

/* Main was started, perhaps again: the old channel is dead. */
static enum err on_peer(struct auth *a, void *peer, const Peer *msg, struct ipc_fds *fds)
{
	int fd = ipc_fds_take(fds, 0);

	(void)peer;
	if (fd < 0)
		return ERR_PROTO;
	if (msg->role == ROLE__ROLE_MAIN)
		return main_open(a, fd);
	close(fd);
	return ERR_OK;
}

static enum err on_ping(struct auth *a, void *peer, const Ping *msg, struct ipc_fds *fds)
{
	Pong pong = PONG__INIT;
	ToSuper top = TO_SUPER__INIT;

	(void)peer;
	(void)msg;
	(void)fds;
	top.msg_case = TO_SUPER__MSG_PONG;
	top.pong = &pong;
	return chan_send(a->super, &top.base, NULL, 0);
}

#define SUPER_ROUTES(R)                                                                            \
	R(ToAuth, fd_restored, TO_AUTH__MSG_FD_RESTORED, AUTH_FROM_SUPER, AUTH_RESTORING, 1,       \
	  on_fd_restored)                                                                          \
	R(ToAuth, start, TO_AUTH__MSG_START, AUTH_FROM_SUPER, AUTH_RESTORING, 0, on_start)         \
	R(ToAuth, peer, TO_AUTH__MSG_PEER, AUTH_FROM_SUPER, AUTH_WAITING | AUTH_SERVING, 1,        \
	  on_peer)                                                                                 \
	R(ToAuth, ping, TO_AUTH__MSG_PING, AUTH_FROM_SUPER,                                        \
	  AUTH_RESTORING | AUTH_WAITING | AUTH_SERVING, 0, on_ping)

ROUTES_DEFINE(super_routes, SUPER_ROUTES)

static void on_message(void *arg, struct chan *chan, const ProtobufCMessage *msg,
		       struct ipc_fds *fds)
{
	struct auth *a = arg;
	enum err err = route_dispatch(&super_routes, a, NULL, AUTH_FROM_SUPER, a->phase, msg, fds);

	(void)chan;
	if (!err)
		return;
	/* There is nobody else to obey: give up and be started again. */
	log_err(NULL, "bad-message", kv_str("from", "supervisor"),
		kv_str("message", ipc_case_name(msg->descriptor, ipc_case(msg))), kv_err(err));
	ev_break(a->loop, EVBREAK_ALL);
}

/* The end of the service: nobody would start us again, and no account outlives it. */
static void on_closed(void *arg, struct chan *chan, enum err why)
{
	struct auth *a = arg;

	(void)chan;
	(void)why;
	TALLOC_FREE(a->super);
	accounts_stop(a);
}

enum err super_open(struct auth *a, int fd)
{
	static const struct chan_ops ops = { on_message, on_closed };

	return chan_new(a, a->loop, fd, &to_auth__descriptor, &ops, a, &a->super);
}
