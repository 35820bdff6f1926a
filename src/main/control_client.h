/* control_client.h - one occtl that is connected to control.c.  Used by control*.c only. */
#ifndef MAIN_CONTROL_CLIENT_H
#define MAIN_CONTROL_CLIENT_H

#include "ipc/chan.h"
#include "main/control.h"

enum {
	CLIENT_BATCH = 32,	    /* users or bans in one reply, */
	CLIENT_BATCH_BYTES = 65536, /* and about so many bytes */
};

enum client_state {
	CLIENT_NEW = 1,	      /* has not asked yet */
	CLIENT_ASKED = 2,     /* waits for its answer */
	CLIENT_ANSWERED = 4,  /* reads it */
	CLIENT_LISTENING = 8, /* show events: the only one */
	CLIENT_SILENCED = 16, /* another one listens */
};

struct client {
	struct control *control;
	struct chan *chan;
	ev_timer patience; /* how long it may stay in its state */
	uint64_t req;
	enum client_state state;
	bool for_auth; /* auth was asked, too */
	bool acted;    /* see control_reply_acted */
	bool lost;     /* a reply could not be sent: the answer has a hole */
	/* What was asked that changes something (control_audit.c), and by whom. */
	const char *command, *target;
	pid_t pid;
	uid_t uid;
	/* Rows that wait to fill a reply; children of `rows`. */
	TALLOC_CTX *rows;
	CtlUser *user[CLIENT_BATCH];
	CtlBan *ban[CLIENT_BATCH];
	size_t n_user, n_ban, bytes;
	struct client *next; /* newest first */
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

/* Serves FD, which is taken, also on failure; the client is a child of C. */
MUST_USE enum err client_new(struct control *c, int fd, const struct chan_ops *ops);

/* The longest that CL may stay in STATE begins now. */
void client_set_state(struct client *cl, enum client_state state);

/* Sends FIELD as case KIND of CtlReply. */
void client_reply(struct client *cl, CtlReply__MsgCase kind, void *field);

/* Makes room for one more: the oldest one that does not listen goes when there are too many. */
void client_make_room(struct control *c);

#endif /* MAIN_CONTROL_CLIENT_H */
