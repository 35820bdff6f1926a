/* control_client.c - life of an occtl that is connected, and what it may cost: nobody can hold up
 * others by saying nothing, or main by not reading. */
#include "main/control_client.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "main/control_audit.h"

enum {
	CLIENTS_MAX = 64, /* occtl at once */
	/* seconds */
	PATIENCE_NEW = 10,	/* for the request */
	PATIENCE_ASKED = 28,	/* for the answer, which auth may owe; occtl itself waits 30 */
	PATIENCE_ANSWERED = 60, /* for reading it */
};

static int client_destroy(struct client *cl)
{
	struct client **p = &cl->control->first;

	audit_done(cl, NULL);
	while (*p != cl)
		p = &(*p)->next;
	*p = cl->next;
	cl->control->n--;
	ev_timer_stop(cl->control->loop, &cl->patience);
	return 0;
}

/* Auth has not answered, perhaps because it was started again meanwhile; or the client is asleep.
 */
static void on_patience_end(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct client *cl = w->data;

	(void)loop;
	(void)revents;
	if (cl->state == CLIENT_ASKED)
		control_done(cl->control, cl->req, CTL_RESULT__CTL_FAILED);
	else
		talloc_free(cl);
}

void client_set_state(struct client *cl, enum client_state state)
{
	ev_tstamp seconds = 0; /* none: events come when they come */

	if (state == CLIENT_NEW)
		seconds = PATIENCE_NEW;
	else if (state == CLIENT_ASKED)
		seconds = PATIENCE_ASKED;
	else if (state == CLIENT_ANSWERED)
		seconds = PATIENCE_ANSWERED;
	cl->state = state;
	ev_timer_stop(cl->control->loop, &cl->patience);
	if (seconds == 0)
		return;
	ev_timer_set(&cl->patience, seconds, 0);
	ev_timer_start(cl->control->loop, &cl->patience);
}

enum err client_new(struct control *c, int fd, const struct chan_ops *ops)
{
	struct client *cl = talloc_zero(c, struct client);
	struct ucred cred;
	socklen_t len = sizeof cred;
	enum err err;

	if (!cl) {
		close(fd);
		return ERR_NOMEM;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0) {
		cl->pid = cred.pid;
		cl->uid = cred.uid;
	}
	cl->control = c;
	cl->req = ++c->last_req;
	ev_init(&cl->patience, on_patience_end);
	cl->patience.data = cl;
	cl->next = c->first;
	c->first = cl;
	c->n++;
	talloc_set_destructor(cl, client_destroy);
	cl->rows = talloc_new(cl);
	client_set_state(cl, CLIENT_NEW);
	ipc_enlarge(fd);
	err = chan_new(cl, c->loop, fd, &ctl_request__descriptor, ops, cl, &cl->chan);
	if (err) {
		close(fd);
		talloc_free(cl);
	}
	return err;
}

void client_reply(struct client *cl, CtlReply__MsgCase kind, void *field)
{
	CtlReply reply = CTL_REPLY__INIT;
	enum err err;

	reply.msg_case = kind;
	reply.done = field; /* all members of the union are message pointers */
	err = chan_send(cl->chan, &reply.base, NULL, 0);
	if (err && err != ERR_CLOSED && !cl->lost)
		log_warn(NULL, "control-reply-lost", kv_err(err));
	cl->lost = cl->lost || err;
}

void client_make_room(struct control *c)
{
	struct client *oldest = NULL;

	if (c->n < CLIENTS_MAX)
		return;
	for (struct client *cl = c->first; cl; cl = cl->next)
		if (cl->state != CLIENT_LISTENING)
			oldest = cl;
	talloc_free(oldest);
}
