/* fw_watch.c - the kernel's notes about changes of nftables. */
#include "main/fw_watch.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

enum { NOTE_MAX = 16 * 1024 }; /* the kernel puts several notes in one datagram */

struct fw_watch {
	ev_io readable;
	struct ev_loop *loop;
	void (*removed)(void *arg);
	void *arg;
};

/* One of the LEN bytes of notes at H says that a table was removed. */
static bool has_removal(const struct nlmsghdr *h, size_t len)
{
	for (; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len))
		if (h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE))
			return true;
	return false;
}

static void on_readable(struct ev_loop *loop, ev_io *io, int revents)
{
	struct fw_watch *w = io->data;
	union {
		struct nlmsghdr h;
		char space[NOTE_MAX];
	} note;
	bool removed = false;
	ssize_t n;

	(void)loop;
	(void)revents;
	do {
		n = recv(io->fd, &note, sizeof note, MSG_TRUNC);
		if (n > 0) /* a longer one is cut: who knows what it said */
			removed |= (size_t)n > sizeof note || has_removal(&note.h, (size_t)n);
		else if (n < 0 && errno == ENOBUFS)
			removed = true;
	} while (n > 0 || (n < 0 && (errno == EINTR || errno == ENOBUFS)));
	if (removed)
		w->removed(w->arg);
}

static int watch_free(struct fw_watch *w)
{
	ev_io_stop(w->loop, &w->readable);
	close(w->readable.fd);
	return 0;
}

/* A socket for the notes; -1: none.  One without an address hears nothing. */
static int open_notes(void)
{
	const struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int group = NFNLGRP_NFTABLES;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)(const void *)&any, sizeof any) == 0 &&
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

enum err fw_watch_new(TALLOC_CTX *ctx, struct ev_loop *loop, void (*removed)(void *arg), void *arg,
		      struct fw_watch **out)
{
	struct fw_watch *w = talloc_zero(ctx, struct fw_watch);
	int fd;

	if (!w)
		return ERR_NOMEM;
	fd = open_notes();
	if (fd < 0) {
		talloc_free(w);
		return ERR_SYS;
	}
	w->loop = loop;
	w->removed = removed;
	w->arg = arg;
	ev_io_init(&w->readable, on_readable, fd, EV_READ);
	w->readable.data = w;
	ev_io_start(loop, &w->readable);
	talloc_set_destructor(w, watch_free);
	*out = w;
	return ERR_OK;
}
