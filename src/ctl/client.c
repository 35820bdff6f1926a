/* client.c - one connection a request. */
#include "ctl/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ipc/msg.h"

enum { PATIENCE_MS = 30000 }; /* for a server that holds on to the connection but says nothing */

void client_say_lost(void)
{
	fputs("could not send message; possibly insufficient permissions or server is offline.\n",
	      stderr);
}

enum err client_connect(const char *path, bool quiet, int *out)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = -1;

	if (strlen(path) >= sizeof sa.sun_path)
		errno = ENAMETOOLONG;
	else
		fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		memcpy(sa.sun_path, path, strlen(path));
		if (connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0) {
			*out = fd;
			return ERR_OK;
		}
	}
	if (!quiet)
		fprintf(stderr,
			"error connecting to ocserv socket '%s': %s\n"
			"(is sallyportd running, with use-occtl and this occtl-socket-file?)\n",
			path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ERR_SYS;
}

enum err client_send(int fd, const CtlRequest *req)
{
	return ipc_send(fd, &req->base, NULL, 0);
}

enum err client_read(TALLOC_CTX *ctx, int fd, CtlReply **out)
{
	ProtobufCMessage *msg;
	struct ipc_fds fds;
	enum err err = ipc_recv(ctx, fd, &ctl_reply__descriptor, &msg, &fds);

	if (err)
		return err;
	ipc_fds_close(&fds);
	*out = (CtlReply *)msg;
	return ERR_OK;
}

/* Appends N pointers to *LIST, whose messages stay children of their reply. */
static enum err append(TALLOC_CTX *ctx, void *list, size_t *have, void *const *more, size_t n)
{
	void **grown, ***slot = list;

	if (n == 0) /* then MORE may be NULL, which memcpy must not be given */
		return ERR_OK;
	grown = talloc_realloc(ctx, *slot, void *, (unsigned)(*have + n + 1));
	if (!grown)
		return ERR_NOMEM;
	memcpy(grown + *have, more, n * sizeof *grown);
	*slot = grown;
	*have += n;
	return ERR_OK;
}

/* Takes REPLY into the answer.  ERR_PROTO: a server of another version. */
static enum err collect(struct answer *a, const CtlReply *reply)
{
	switch (reply->msg_case) {
	case CTL_REPLY__MSG_DONE:
		a->done = reply->done;
		a->result = reply->done->result;
		return ERR_OK;
	case CTL_REPLY__MSG_STATUS:
		a->status = reply->status;
		return ERR_OK;
	case CTL_REPLY__MSG_USERS:
		return append(a, &a->user, &a->n_user, (void *const *)reply->users->user,
			      reply->users->n_user);
	case CTL_REPLY__MSG_SESSIONS:
		return append(a, &a->session, &a->n_session,
			      (void *const *)reply->sessions->session, reply->sessions->n_session);
	case CTL_REPLY__MSG_BANS:
		return append(a, &a->ban, &a->n_ban, (void *const *)reply->bans->ban,
			      reply->bans->n_ban);
	case CTL_REPLY__MSG_CONFIG:
		a->config = a->config ? a->config : reply->config;
		return append(a, &a->setting, &a->n_setting, (void *const *)reply->config->setting,
			      reply->config->n_setting);
	default:
		return ERR_PROTO;
	}
}

static enum err read_answer(int fd, struct answer *a)
{
	enum err err = ERR_OK;

	while (!err && !a->done) {
		struct pollfd p = { fd, POLLIN, 0 };
		CtlReply *reply = NULL;
		int n = poll(&p, 1, PATIENCE_MS);

		if (n == 0)
			return ERR_TIMEOUT;
		if (n < 0 && errno != EINTR)
			return ERR_SYS;
		err = client_read(a, fd, &reply);
		if (!err)
			err = collect(a, reply);
		else if (err == ERR_AGAIN)
			err = ERR_OK;
	}
	return err;
}

enum err client_ask(TALLOC_CTX *ctx, const char *path, bool quiet, const CtlRequest *req,
		    struct answer **out)
{
	struct answer *a = talloc_zero(ctx, struct answer);
	enum err err;
	int fd;

	if (!a)
		return ERR_NOMEM;
	err = client_connect(path, quiet, &fd);
	if (err) {
		talloc_free(a);
		return err;
	}
	err = client_send(fd, req);
	if (!err)
		err = read_answer(fd, a);
	close(fd);
	if (err) {
		talloc_free(a);
		if (!quiet)
			client_say_lost();
		return ERR_CLOSED;
	}
	*out = a;
	return ERR_OK;
}
