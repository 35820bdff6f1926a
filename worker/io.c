/* io.c - poll in the login phase. */
#include "worker/io.h"

#include "base/clock.h"
#include "ipc/msg.h"
#include "worker/messages.h"

enum { CLIENT, MAIN, AUTH, TERM, SOURCES };

/* Handles what has come on FD.  The message lives on when it answers the call. */
static enum err receive(struct worker *w, int fd, enum worker_sender sender)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	ProtobufCMessage *msg = NULL;
	struct ipc_fds fds = { .n = 0 };
	enum err err = ipc_recv(tmp, fd, &to_worker__descriptor, &msg, &fds);

	if (!err) {
		bool waiting = w->call.request && !w->call.answer;
		messages_dispatch(w, sender, msg, &fds);
		if (waiting && w->call.answer)
			tmp = (talloc_steal(w->call.ctx, tmp), NULL);
		if (w->ending.set)
			err = ERR_STATE;
	} else if (err == ERR_AGAIN) {
		err = ERR_OK;
	}
	talloc_free(tmp);
	return err;
}

/* One round of poll; without EVENTS the client is not looked at. */
static enum err wait_once(struct worker *w, short events, short *got)
{
	struct pollfd p[SOURCES] = {
		[CLIENT] = { .fd = events ? w->client : -1, .events = events },
		[MAIN] = { .fd = w->main_fd, .events = POLLIN },
		[AUTH] = { .fd = w->auth_fd, .events = POLLIN },
		[TERM] = { .fd = w->term_fd, .events = POLLIN },
	};
	uint64_t now = clock_ms();
	enum err err = ERR_OK;

	if (now >= w->deadline)
		return ERR_TIMEOUT;
	/* A day at most: the deadline may be far, the parameter is an int. */
	if (poll(p, SOURCES, (int)(w->deadline - now < 86400000 ? w->deadline - now : 86400000)) <
	    0)
		return ERR_OK; /* interrupted: the caller waits again */
	if (p[MAIN].revents)
		err = receive(w, w->main_fd, FROM_MAIN);
	if (!err && p[AUTH].revents)
		err = receive(w, w->auth_fd, FROM_AUTH);
	*got = p[CLIENT].revents;
	if (!err && p[TERM].revents) { /* nothing is lost yet: there is no tunnel */
		worker_end(w, END_REASON__END_SERVER, false);
		err = ERR_STATE;
	}
	return err;
}

enum err io_wait_client(struct worker *w, short events)
{
	enum err err;
	short got = 0;

	do
		err = wait_once(w, events, &got);
	while (!err && !got);
	return err;
}

enum err io_wait_main(struct worker *w, const bool *word)
{
	enum err err = ERR_OK;
	short got = 0;

	while (!err && !*word)
		err = wait_once(w, 0, &got);
	return err;
}

enum err io_tell_auth(struct worker *w, const ToAuth *msg)
{
	struct pollfd p = { .fd = w->auth_fd, .events = POLLOUT };
	enum err err;

	/* Auth may be restarting; what it does not read meanwhile waits in the socket. */
	while ((err = ipc_send(w->auth_fd, &msg->base, NULL, 0)) == ERR_AGAIN) {
		if (clock_ms() >= w->deadline)
			return ERR_TIMEOUT;
		(void)poll(&p, 1, 1000);
	}
	return err;
}

enum err io_call(struct worker *w, TALLOC_CTX *ctx, const ToAuth *request, const ToWorker **out)
{
	enum err err = io_tell_auth(w, request);
	short got = 0;

	w->call = (struct call){ .request = request, .ctx = ctx };
	while (!err && !w->call.answer) {
		err = wait_once(w, POLLRDHUP, &got);
		if (!err && !w->call.answer && got & (POLLRDHUP | POLLERR | POLLHUP))
			err = ERR_CLOSED;
	}
	if (!err)
		*out = w->call.answer;
	w->call = (struct call){ 0 };
	return err;
}
