/* stream.c - transport functions of the TLS session, in memory.  Used by the data path. */
#include "worker/path/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/path/lazy.h"

struct stream {
	gnutls_session_t tls;
	int fd;
	struct lazy *in, *out;
	size_t in_at, in_end; /* what nobody has read yet */
	size_t in_shown;      /* how far GnuTLS may read; all of it unless held */
	bool held;
	size_t asked;		/* how much GnuTLS wanted when there was nothing */
	size_t out_at, out_end; /* what the socket has not taken yet */
	bool eof, full;
	uint64_t blocked_since;
};

enum { TLS_HEADER = 5 };

/* Makes room for LEN more bytes at the end of the output. */
static bool out_room(struct stream *s, size_t len)
{
	if (s->out_end + len <= STREAM_OUT)
		return true;
	memmove(s->out->data, s->out->data + s->out_at, s->out_end - s->out_at);
	s->out_end -= s->out_at;
	s->out_at = 0;
	return s->out_end + len <= STREAM_OUT;
}

uint8_t *stream_room(struct stream *s, size_t len)
{
	return out_room(s, len) ? s->out->data + s->out_end : NULL;
}

void stream_commit(struct stream *s, size_t len)
{
	s->out_end += len;
}

static ssize_t push(gnutls_transport_ptr_t ptr, const void *data, size_t len)
{
	struct stream *s = ptr;
	uint8_t *room = stream_room(s, len);
	if (!room) {
		gnutls_transport_set_errno(s->tls, ENOBUFS);
		return -1;
	}
	memcpy(room, data, len);
	stream_commit(s, len);
	return (ssize_t)len;
}

static ssize_t pull(gnutls_transport_ptr_t ptr, void *data, size_t len)
{
	struct stream *s = ptr;
	size_t have = s->in_shown - s->in_at;
	if (have == 0 && !s->eof) {
		s->asked = len;
		gnutls_transport_set_errno(s->tls, EAGAIN);
		return -1;
	}
	size_t take = len < have ? len : have;
	memcpy(data, s->in->data + s->in_at, take);
	s->in_at += take;
	return (ssize_t)take;
}

bool stream_has_input(const struct stream *s)
{
	return s->in_at < s->in_shown;
}

bool stream_hold(struct stream *s)
{
	s->held = s->asked == TLS_HEADER && !stream_has_input(s);
	return s->held;
}

void stream_release(struct stream *s)
{
	s->held = false;
	s->in_shown = s->in_end;
}

size_t stream_peek(const struct stream *s, uint8_t **data)
{
	*data = s->in->data + s->in_at;
	return s->in_end - s->in_at;
}

void stream_skip(struct stream *s, size_t len)
{
	s->in_at += len;
	s->in_shown = s->in_at;
}

void stream_show(struct stream *s, size_t len)
{
	s->in_shown = s->in_at + len;
}

static int pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
	struct stream *s = ptr;
	(void)ms;
	return stream_has_input(s) || s->eof;
}

static int stream_close(struct stream *s)
{
	close(s->fd);
	return 0;
}

enum err stream_new(TALLOC_CTX *ctx, gnutls_session_t tls, int fd, struct stream **out)
{
	struct stream *s = talloc_zero(ctx, struct stream);
	if (!s)
		return ERR_NOMEM;
	if (lazy_new(s, STREAM_IN, &s->in) || lazy_new(s, STREAM_OUT, &s->out)) {
		talloc_free(s);
		return ERR_NOMEM;
	}
	s->tls = tls;
	s->fd = fd;
	s->blocked_since = UINT64_MAX;
	talloc_set_destructor(s, stream_close);
	/* Whole batches are sent at once: waiting for more (Nagle) only delays. */
	int one = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	int flags = fcntl(fd, F_GETFL);
	if (flags >= 0 && !(flags & O_NONBLOCK))
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	gnutls_transport_set_ptr(tls, s);
	gnutls_transport_set_push_function(tls, push);
	gnutls_transport_set_pull_function(tls, pull);
	gnutls_transport_set_pull_timeout_function(tls, pull_timeout);
	/* A renegotiation must not end because memory is empty for the moment. */
	gnutls_handshake_set_timeout(tls, 0);
	*out = s;
	return ERR_OK;
}

int stream_fd(const struct stream *s)
{
	return s->fd;
}

enum err stream_fill(struct stream *s, size_t most)
{
	if (stream_has_input(s))
		return ERR_OK;
	/* The beginning of a record, when the stream is held. */
	size_t kept = s->in_end - s->in_at, room = STREAM_IN - kept;
	memmove(s->in->data, s->in->data + s->in_at, kept);
	s->in_at = s->in_shown = 0;
	s->in_end = kept;
	ssize_t k = recv(s->fd, s->in->data + kept, most < room ? most : room, MSG_DONTWAIT);
	if (k < 0 && (errno == EAGAIN || errno == EINTR))
		return ERR_AGAIN;
	if (k <= 0) {
		s->eof = true;
		return ERR_CLOSED;
	}
	s->in_end += (size_t)k;
	s->in_shown = s->held ? 0 : s->in_end;
	return ERR_OK;
}

enum err stream_flush(struct stream *s, bool writable, uint64_t now)
{
	if (s->full && !writable)
		return ERR_OK;
	s->full = false;
	while (s->out_at < s->out_end && !s->full) {
		ssize_t k = send(s->fd, s->out->data + s->out_at, s->out_end - s->out_at,
				 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (k < 0 && errno != EAGAIN && errno != EINTR)
			return ERR_CLOSED;
		/* Only a socket that takes nothing at all counts as blocked. */
		if (k > 0) {
			s->out_at += (size_t)k;
			s->blocked_since = UINT64_MAX;
		}
		s->full = k < 0;
	}
	if (s->out_at == s->out_end)
		s->out_at = s->out_end = 0;
	else if (s->blocked_since == UINT64_MAX)
		s->blocked_since = now;
	return ERR_OK;
}

size_t stream_waiting(const struct stream *s)
{
	return s->out_end - s->out_at;
}

uint64_t stream_blocked_since(const struct stream *s)
{
	return stream_waiting(s) ? s->blocked_since : UINT64_MAX;
}

void stream_trim(struct stream *s)
{
	if (s->in_at == s->in_end)
		lazy_trim(s->in);
	if (s->out_at == s->out_end)
		lazy_trim(s->out);
}
