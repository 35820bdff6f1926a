/* client.h - occtl's side of the control socket. */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#include "base/err.h"
#include "ipc/ctl.pb-c.h"

/* A whole answer; everything is a child of it. */
struct answer {
	CtlResult result;
	CtlDone *done;	   /* NULL unless it came */
	CtlStatus *status; /* NULL unless asked for */
	CtlUser **user;
	SessionRow **session;
	CtlBan **ban;
	CtlConfig *config; /* the first part; its settings are in `setting` */
	CtlSetting **setting;
	size_t n_user, n_session, n_ban, n_setting;
};

/* Connects to PATH.  On failure says so on stderr (admin.md 6.3) unless QUIET. */
MUST_USE enum err client_connect(const char *path, bool quiet, int *fd);

/* Sends REQ and reads replies up to "done".  *OUT is a child of CTX.  Failures are told as above.
 * ERR_CLOSED: the server dropped us. */
MUST_USE enum err client_ask(TALLOC_CTX *ctx, const char *path, bool quiet, const CtlRequest *req,
			     struct answer **out);

/* For streams: sends REQ; reads one reply if there is one (ERR_AGAIN), a child of CTX. */
MUST_USE enum err client_send(int fd, const CtlRequest *req);
MUST_USE enum err client_read(TALLOC_CTX *ctx, int fd, CtlReply **out);

/* The word for a server that does not answer. */
void client_say_lost(void);

#endif /* CTL_CLIENT_H */
