/* control_reply.c - answers to occtl, in batches, and "done" at their end. */
#include "base/log.h"
#include "ipc/convert.h"
#include "main/control_audit.h"
#include "main/control_client.h"
#include "main/control_pack.h"

static void flush(struct client *cl)
{
	CtlUsers users = CTL_USERS__INIT;
	CtlBans bans = CTL_BANS__INIT;

	users.n_user = cl->n_user;
	users.user = cl->user;
	bans.n_ban = cl->n_ban;
	bans.ban = cl->ban;
	if (cl->n_user)
		client_reply(cl, CTL_REPLY__MSG_USERS, &users);
	if (cl->n_ban)
		client_reply(cl, CTL_REPLY__MSG_BANS, &bans);
	cl->n_user = cl->n_ban = cl->bytes = 0;
	talloc_free_children(cl->rows);
}

static struct client *find(const struct control *c, uint64_t req)
{
	struct client *cl = c->first;

	while (cl && cl->req != req)
		cl = cl->next;
	return cl && cl->state == CLIENT_ASKED ? cl : NULL;
}

void control_reply_status(struct control *c, uint64_t req, const struct control_status *status)
{
	struct client *cl = find(c, req);
	CtlStatus msg;

	if (!cl)
		return;
	control_pack_status(status, &msg);
	client_reply(cl, CTL_REPLY__MSG_STATUS, &msg);
}

/* A copy of MSG that borrows nothing, to wait with others for one reply; NULL without memory. */
static void *keep_row(struct client *cl, const ProtobufCMessage *msg)
{
	size_t len = protobuf_c_message_get_packed_size(msg);
	ProtobufCMessage *copy = NULL;
	uint8_t *data;

	if (cl->bytes + len > CLIENT_BATCH_BYTES || cl->n_user == CLIENT_BATCH ||
	    cl->n_ban == CLIENT_BATCH)
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

	for (size_t i = 0; cl && i < n; i += CLIENT_BATCH) {
		CtlSessions msg = CTL_SESSIONS__INIT;
		msg.n_session = n - i < CLIENT_BATCH ? n - i : CLIENT_BATCH;
		msg.session = (SessionRow **)(uintptr_t)(row + i);
		client_reply(cl, CTL_REPLY__MSG_SESSIONS, &msg);
	}
}

void control_reply_config(struct control *c, uint64_t req, CtlConfig *msg)
{
	struct client *cl = find(c, req);

	if (cl)
		client_reply(cl, CTL_REPLY__MSG_CONFIG, msg);
}

void control_reply_acted(struct control *c, uint64_t req)
{
	struct client *cl = find(c, req);

	if (cl)
		cl->acted = true;
}

static void finish(struct control *c, uint64_t req, CtlDone *done)
{
	struct client *cl = find(c, req);

	if (!cl)
		return;
	flush(cl);
	if (done->result == CTL_RESULT__CTL_NOT_FOUND && cl->acted)
		done->result = CTL_RESULT__CTL_OK;
	if (cl->lost) /* better no answer than one that looks whole */
		done->result = CTL_RESULT__CTL_FAILED;
	audit_done(cl, &done->result);
	client_reply(cl, CTL_REPLY__MSG_DONE, done);
	client_set_state(cl, CLIENT_ANSWERED);
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

void control_auth_lost(struct control *c)
{
	struct client *next;

	for (struct client *cl = c->first; cl; cl = next) {
		next = cl->next;
		if (cl->for_auth && cl->state == CLIENT_ASKED)
			control_done(c, cl->req, CTL_RESULT__CTL_FAILED);
	}
}
