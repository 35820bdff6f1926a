/* tell.c - the supervisor's messages to its children. */
#include "super/tell.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/auth.pb-c.h"
#include "ipc/main.pb-c.h"
#include "ipc/zygote.pb-c.h"

void tell_child(struct child *c, const ProtobufCMessage *msg, int fd)
{
	enum err err = c->chan ? chan_send(c->chan, msg, &fd, fd >= 0) : ERR_CLOSED;

	/* A child that cannot be reached is about to be reaped and started again. */
	if (err && err != ERR_CLOSED)
		log_err(NULL, "send-failed", kv_u64("role", c->role), kv_err(err));
}

/* Each role has a top message of its own. */
static void tell_by_role(struct child *c, const ToMain *main, const ToAuth *auth,
			 const ToZygote *zygote, int fd)
{
	const ProtobufCMessage *msg = c->role == ROLE__ROLE_MAIN   ? &main->base
				      : c->role == ROLE__ROLE_AUTH ? &auth->base
								   : &zygote->base;

	tell_child(c, msg, fd);
}

/* Tells BOTH ends who the other is and gives each its end of a new channel. */
static void send_peer(struct child *to, const struct child *other, int fd)
{
	Peer peer = PEER__INIT;
	ToMain main = TO_MAIN__INIT;
	ToAuth auth = TO_AUTH__INIT;
	ToZygote zygote = TO_ZYGOTE__INIT;

	peer.role = other->role;
	peer.pid = (uint32_t)other->pid;
	main.msg_case = TO_MAIN__MSG_PEER;
	main.peer = &peer;
	auth.msg_case = TO_AUTH__MSG_PEER;
	auth.peer = &peer;
	zygote.msg_case = TO_ZYGOTE__MSG_PEER;
	zygote.peer = &peer;
	tell_by_role(to, &main, &auth, &zygote, fd);
}

void tell_each_other(struct child *a, struct child *b)
{
	int pair[2];

	if (!a->chan || !b->chan)
		return;
	if (ipc_pair(pair)) {
		log_err(NULL, "no-channel", kv_str("error", strerror(errno)));
		return;
	}
	send_peer(a, b, pair[0]);
	send_peer(b, a, pair[1]);
	close(pair[0]);
	close(pair[1]);
}

bool tell_is_auths(FdKind kind)
{
	return kind == FD_KIND__FD_JOURNAL_AUTH || kind == FD_KIND__FD_WORKER_AUTH;
}

struct restore {
	struct child *to;
	bool auth;
};

static enum err restore_one(void *arg, const struct kept_fd *kept)
{
	const struct restore *r = arg;
	FdRestored restored = FD_RESTORED__INIT;
	ToMain main = TO_MAIN__INIT;
	ToAuth auth = TO_AUTH__INIT;

	if (tell_is_auths(kept->kind) != r->auth)
		return ERR_OK;
	restored.kind = kept->kind;
	restored.id = kept->id;
	restored.note = (ProtobufCBinaryData){ kept->note_len, (uint8_t *)(uintptr_t)kept->note };
	main.msg_case = TO_MAIN__MSG_FD_RESTORED;
	main.fd_restored = &restored;
	auth.msg_case = TO_AUTH__MSG_FD_RESTORED;
	auth.fd_restored = &restored;
	return chan_send(r->to->chan, r->auth ? &auth.base : &main.base, &kept->fd, 1);
}

void tell_kept(struct child *c, const struct fdstore *kept, int64_t up_since)
{
	struct restore r = { c, c->role == ROLE__ROLE_AUTH };
	Start start = START__INIT;
	ToMain main = TO_MAIN__INIT;
	ToAuth auth = TO_AUTH__INIT;
	enum err err = fdstore_each(kept, restore_one, &r);

	if (err)
		log_err(NULL, "restore-failed", kv_u64("role", c->role), kv_err(err));
	start.restarted = c->starts > 1;
	start.up_since = up_since;
	start.super_pid = (uint32_t)getpid();
	main.msg_case = TO_MAIN__MSG_START;
	main.start = &start;
	auth.msg_case = TO_AUTH__MSG_START;
	auth.start = &start;
	tell_child(c, r.auth ? &auth.base : &main.base, -1);
}

void tell_ping(struct child *c)
{
	Ping ping = PING__INIT;
	ToMain main = TO_MAIN__INIT;
	ToAuth auth = TO_AUTH__INIT;
	ToZygote zygote = TO_ZYGOTE__INIT;

	main.msg_case = TO_MAIN__MSG_PING;
	main.ping = &ping;
	auth.msg_case = TO_AUTH__MSG_PING;
	auth.ping = &ping;
	zygote.msg_case = TO_ZYGOTE__MSG_PING;
	zygote.ping = &ping;
	tell_by_role(c, &main, &auth, &zygote, -1);
}
