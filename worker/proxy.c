/* proxy.c - reads the PROXY header. */
#include "worker/proxy.h"

#include <errno.h>
#include <sys/socket.h>

#include "wire/proxy_hdr.h"
#include "worker/io.h"
#include "worker/tell.h"

/* Takes the bytes that belong to the header out of the socket and leaves the others to TLS: all
 * that came while the header is unfinished, so that waiting for more is no busy loop. */
static enum err read_header(struct worker *w, struct proxy_hdr *h)
{
	uint8_t data[PROXY_MAX];
	size_t have = 0;

	for (;;) {
		enum err err = io_wait_client(w, POLLIN);
		ssize_t n;
		if (err)
			return err;
		n = recv(w->client, data + have, sizeof data - have, MSG_PEEK | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return have ? ERR_CLOSED : ERR_NOT_FOUND;
		err = proxy_hdr_parse(data, have + (size_t)n, h);
		if (err && err != ERR_AGAIN)
			return err;
		if (!err)
			n = (ssize_t)(h->len - have);
		if (recv(w->client, data + have, (size_t)n, MSG_DONTWAIT) != n)
			return ERR_CLOSED;
		if (!err)
			return ERR_OK;
		have += (size_t)n;
	}
}

static void take(struct worker *w, const struct proxy_hdr *h)
{
	struct addr proxy = w->remote.addr;

	/* A health check, or a client that the proxy cannot name: the socket's addresses stay. */
	if (h->has_addrs) {
		w->remote = h->src;
		w->local = h->dst;
	}
	log_debug(&w->log, "proxied", kv_addr("by", &proxy), kv_u64("port", w->remote.port),
		  kv_str("id", h->unique_id));
	w->proxy_read = true;
}

enum err proxy_accept(struct worker *w)
{
	struct proxy_hdr h;
	enum err err;

	if (!w->proxy)
		return ERR_OK;
	err = read_header(w, &h);
	if (err == ERR_SYNTAX || err == ERR_TOO_LONG)
		log_info(&w->log, "proxy-header-refused", kv_err(err),
			 kv_str("why", "listen-proxy-proto is on and this is no PROXY header"));
	if (err)
		return err;
	take(w, &h);
	tell_proxied(w);
	return io_wait_main(w, &w->admitted);
}
