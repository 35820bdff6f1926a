/* chan.c - message channel on libev. */
#include "ipc/chan.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/secret.h"

enum {
	QUEUE_MAX = 65536, /* messages; a restarted main is handed a descriptor per worker */
	BURST = 64, /* messages read per wake-up, so that one peer cannot starve the others */
};

struct queued {
	struct queued *next;
	uint8_t *data;
	size_t len;
	struct ipc_fds fds;
};

struct chan {
	struct ev_loop *loop;
	ev_io in, out;
	const ProtobufCMessageDescriptor *desc;
	const struct chan_ops *ops;
	void *arg;
	struct queued *head, **tail;
	size_t queued;
	bool *freed; /* set by the destructor while a callback runs */
};

static int queued_free(struct queued *q)
{
	ipc_fds_close(&q->fds);
	return 0;
}

static int chan_destroy(struct chan *c)
{
	if (c->freed)
		*c->freed = true;
	ev_io_stop(c->loop, &c->in);
	ev_io_stop(c->loop, &c->out);
	close(c->in.fd);
	return 0;
}

/* Reads one message and hands it up.  False when reading must stop. */
static bool read_one(struct chan *c)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	ProtobufCMessage *msg = NULL;
	struct ipc_fds fds = { .n = 0 };
	bool freed = false;
	enum err err = ipc_recv(tmp, c->in.fd, c->desc, &msg, &fds);

	if (err == ERR_OK) {
		/* cppcheck-suppress autoVariables; taken back below */
		c->freed = &freed;
		c->ops->on_message(c->arg, c, msg, &fds);
		ipc_fds_close(&fds);
		if (!freed)
			c->freed = NULL;
	} else if (err != ERR_AGAIN) {
		ev_io_stop(c->loop, &c->in);
		c->ops->on_closed(c->arg, c, err);
	}
	talloc_free(tmp);
	return err == ERR_OK && !freed;
}

static void on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct chan *c = w->data;

	(void)loop;
	(void)revents;
	for (unsigned i = 0; i < BURST && read_one(c); i++)
		;
}

static void on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct chan *c = w->data;

	(void)revents;
	while (c->head) {
		struct queued *q = c->head;
		/* Any other error shows itself on the reading side. */
		if (ipc_send_bytes(w->fd, q->data, q->len, q->fds.fd, q->fds.n) == ERR_AGAIN)
			return;
		c->head = q->next;
		c->queued--;
		talloc_free(q);
	}
	c->tail = &c->head;
	ev_io_stop(loop, w);
}

enum err chan_new(TALLOC_CTX *ctx, struct ev_loop *loop, int fd,
		  const ProtobufCMessageDescriptor *desc, const struct chan_ops *ops, void *arg,
		  struct chan **out)
{
	struct chan *c = talloc_zero(ctx, struct chan);

	if (!c)
		return ERR_NOMEM;
	*c = (struct chan){ .loop = loop, .desc = desc, .ops = ops, .arg = arg, .tail = &c->head };
	ev_io_init(&c->in, on_readable, fd, EV_READ);
	ev_io_init(&c->out, on_writable, fd, EV_WRITE);
	c->in.data = c->out.data = c;
	talloc_set_destructor(c, chan_destroy);
	ev_io_start(loop, &c->in);
	*out = c;
	return ERR_OK;
}

/* Duplicates of FDS, so that the caller keeps its own. */
static enum err dup_fds(struct ipc_fds *out, const int *fds, unsigned nfds)
{
	for (unsigned i = 0; i < nfds; i++) {
		int fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			return ERR_SYS;
		out->fd[out->n++] = fd;
	}
	return ERR_OK;
}

static enum err enqueue(struct chan *c, const ProtobufCMessage *msg, const int *fds, unsigned nfds)
{
	struct queued *q;

	if (c->queued >= QUEUE_MAX || nfds > IPC_FDS_MAX)
		return ERR_EXHAUSTED;
	q = talloc_zero(c, struct queued);
	if (!q)
		return ERR_NOMEM;
	talloc_set_destructor(q, queued_free);
	q->len = protobuf_c_message_get_packed_size(msg);
	q->data = talloc_size(q, q->len);
	if (!q->data || dup_fds(&q->fds, fds, nfds)) {
		talloc_free(q);
		return ERR_NOMEM;
	}
	secret_mark(q->data);
	protobuf_c_message_pack(msg, q->data);
	*c->tail = q;
	c->tail = &q->next;
	c->queued++;
	ev_io_start(c->loop, &c->out);
	return ERR_OK;
}

enum err chan_send(struct chan *c, const ProtobufCMessage *msg, const int *fds, unsigned nfds)
{
	enum err err;

	if (c->head)
		return enqueue(c, msg, fds, nfds);
	err = ipc_send(c->in.fd, msg, fds, nfds);
	return err == ERR_AGAIN ? enqueue(c, msg, fds, nfds) : err;
}

int chan_fd(const struct chan *c)
{
	return c->in.fd;
}

size_t chan_queued(const struct chan *c)
{
	return c->queued;
}
