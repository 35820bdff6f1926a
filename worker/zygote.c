/* zygote.c - sallyport-worker: loads what workers share, gives up every privilege, and forks a
 * worker for each connection main hands over.  It never sees a byte of a client or a secret. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "base/trim.h"
#include "ipc/convert.h"
#include "ipc/msg.h"
#include "ipc/route.h"
#include "ipc/super.pb-c.h"
#include "ipc/zygote.pb-c.h"
#include "worker/image.h"
#include "worker/privs.h"
#include "worker/worker.h"

/*	state	 until
 *	LOADING	 the configuration has come, and the namespaces if workers are isolated
 *	READY	 the end */
enum state { LOADING = 1, READY = 2 };

enum { CHILD_FDS_VIA = 64 };

struct zygote {
	int super_fd, main_fd; /* main_fd: -1 while main is being started again */
	int signal_fd;
	int null_fd;
	int namespaces; /* pidfd of their holder; -1 until it came */
	enum state state;
	struct image *image;
	bool done;
	bool is_child; /* set in a newborn worker */
	struct birth birth;
	struct log_sink sink;
};

static void log_to(struct zygote *z, bool json)
{
	log_sink_system(&z->sink, "zygote", LOG_TO_STDERR | (json ? LOG_AS_JSON : 0u), LOG_DAEMON,
			0);
	log_set_sink(&z->sink);
}

/* ---- to main ---- */

/* What main misses while it is away it learns again otherwise: it sees its channels close. */
static void tell_main(struct zygote *z, const ToMain *msg)
{
	enum err err = z->main_fd >= 0 ? ipc_send(z->main_fd, &msg->base, NULL, 0) : ERR_CLOSED;

	if (err)
		log_debug(NULL, "not-told", kv_u64("message", msg->msg_case), kv_err(err));
}

static void tell_ready(struct zygote *z)
{
	ZygoteReady m = ZYGOTE_READY__INIT;
	ToMain msg = TO_MAIN__INIT;

	trim_after_start(); /* before the first fork, so that no worker inherits the waste */
	m.generation = z->image->generation;
	msg.msg_case = TO_MAIN__MSG_ZYGOTE_READY;
	msg.zygote_ready = &m;
	tell_main(z, &msg);
}

static void tell_spawned(struct zygote *z, uint64_t id, pid_t pid)
{
	WorkerSpawned m = WORKER_SPAWNED__INIT;
	ToMain msg = TO_MAIN__INIT;

	m.worker_id = id;
	m.pid = (uint32_t)pid;
	msg.msg_case = TO_MAIN__MSG_WORKER_SPAWNED;
	msg.worker_spawned = &m;
	tell_main(z, &msg);
}

static void tell_exited(struct zygote *z, pid_t pid, int status)
{
	WorkerExited m = WORKER_EXITED__INIT;
	ToMain msg = TO_MAIN__INIT;

	m.pid = (uint32_t)pid;
	m.status = (uint32_t)status;
	msg.msg_case = TO_MAIN__MSG_WORKER_EXITED;
	msg.worker_exited = &m;
	tell_main(z, &msg);
}

/* ---- getting ready ---- */

/* Pages that every worker would write for itself are written once, here. */
static void warm_up(struct zygote *z)
{
	gnutls_session_t tls;

	if (gnutls_init(&tls, GNUTLS_SERVER | GNUTLS_NO_TICKETS) == 0) {
		(void)gnutls_priority_set(tls, z->image->vhost[0].priorities);
		gnutls_deinit(tls);
	}
	(void)malloc_trim(0);
}

static enum err confine(struct zygote *z)
{
	const struct conf *conf = z->image->conf;
	struct privs privs;
	enum err err = privs_lookup(conf->run_as_user, conf->run_as_group, &privs);

	/* An empty root that cannot be written to is more than chroot-dir asks for. */
	if (!err && z->image->sandbox)
		err = privs_enter(z->namespaces);
	else if (!err && conf->chroot_dir)
		err = privs_chroot(conf->chroot_dir);
	if (!err)
		err = privs_drop(&privs, !z->image->sandbox);
	if (z->namespaces >= 0)
		close(z->namespaces);
	z->namespaces = -1;
	return err;
}

/* Once both the configuration and the namespaces are here. */
static enum err become_ready(struct zygote *z)
{
	enum err err;

	if (z->state == READY || !z->image || (z->image->sandbox && z->namespaces < 0))
		return ERR_OK;
	warm_up(z);
	err = confine(z);
	if (err) {
		log_err(NULL, "zygote-not-confined", kv_err(err),
			kv_str("reason", strerror(errno)));
		return err;
	}
	z->state = READY;
	tell_ready(z);
	return ERR_OK;
}

/* ---- messages ---- */

static enum err on_peer(struct zygote *z, const int *fd, const Peer *msg, struct ipc_fds *fds)
{
	(void)fd;
	if (msg->role != ROLE__ROLE_MAIN || fds->n != 1)
		return ERR_PROTO;
	if (z->main_fd >= 0)
		close(z->main_fd);
	z->main_fd = ipc_fds_take(fds, 0);
	if (z->state == READY)
		tell_ready(z);
	return ERR_OK;
}

static enum err on_enter(struct zygote *z, const int *fd, const EnterNamespaces *msg,
			 struct ipc_fds *fds)
{
	(void)fd;
	(void)msg;
	if (fds->n != 1 || z->namespaces >= 0)
		return ERR_PROTO;
	z->namespaces = ipc_fds_take(fds, 0);
	return become_ready(z);
}

static enum err on_ping(struct zygote *z, const int *fd, const Ping *msg, struct ipc_fds *fds)
{
	Pong pong = PONG__INIT;
	ToSuper top = TO_SUPER__INIT;

	(void)fd;
	(void)msg;
	(void)fds;
	top.msg_case = TO_SUPER__MSG_PONG;
	top.pong = &pong;
	return ipc_send(z->super_fd, &top.base, NULL, 0);
}

/* A second configuration of the same generation comes from a restarted main.  For another one this
 * image, which has given up its privileges, makes room: the supervisor starts a fresh one. */
static enum err on_conf(struct zygote *z, const int *fd, const ZygoteConf *msg, struct ipc_fds *fds)
{
	enum err err;

	(void)fd;
	if (fds->n != 2)
		return ERR_PROTO;
	log_to(z, msg->json);
	if (z->image) {
		z->done = z->image->generation != msg->generation;
		if (!z->done && z->state == READY)
			tell_ready(z);
		return ERR_OK;
	}
	err = image_load(z, fds->fd[0], fds->fd[1], msg->generation, msg->verbosity, &z->image);
	if (err) {
		log_err(NULL, "zygote-conf-refused", kv_err(err));
		return err;
	}
	return become_ready(z);
}

/* Moves FD to the number TO. */
static int place(int fd, int to)
{
	return fd == to ? fd : dup2(fd, to);
}

/* The child keeps three descriptors of its own; everything else is closed, whoever left it open. */
static void become_child(struct zygote *z)
{
	int fds[] = { z->birth.client, z->birth.main_fd, z->birth.auth_fd };
	sigset_t none;

	if (z->image->sandbox) {
		/* Nobody writes to the server's terminal or log file but through main. */
		for (int fd = STDIN_FILENO; fd < STDERR_FILENO; fd++)
			(void)dup2(z->null_fd, fd);
#ifndef WITH_SANITIZERS
		(void)dup2(z->null_fd, STDERR_FILENO);
#endif
	}
	/* Through high numbers, so that none is overwritten before it has moved. */
	for (int i = 0; i < 3; i++)
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, CHILD_FDS_VIA);
	z->birth.client = place(fds[0], STDERR_FILENO + 1);
	z->birth.main_fd = place(fds[1], STDERR_FILENO + 2);
	z->birth.auth_fd = place(fds[2], STDERR_FILENO + 3);
	(void)close_range(STDERR_FILENO + 4, ~0U, 0);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_NAME, "sallyport-work");
	z->is_child = z->done = true;
}

static enum err on_spawn(struct zygote *z, const int *fd, const Spawn *msg, struct ipc_fds *fds)
{
	pid_t pid;

	(void)fd;
	if (fds->n != 3)
		return ERR_PROTO;
	pid = fork();
	if (pid < 0) {
		/* Main sees the closing channel, too. */
		log_err(NULL, "fork-failed", kv_str("reason", strerror(errno)));
		tell_spawned(z, msg->worker_id, 0);
		return ERR_OK;
	}
	if (pid > 0) {
		tell_spawned(z, msg->worker_id, pid);
		return ERR_OK;
	}
	z->birth = (struct birth){
		.id = msg->worker_id,
		.remote = ipc_endpoint_read(msg->remote),
		.local = ipc_endpoint_read(msg->local),
		.proxy = msg->proxy,
	};
	z->birth.client = ipc_fds_take(fds, 0);
	z->birth.main_fd = ipc_fds_take(fds, 1);
	z->birth.auth_fd = ipc_fds_take(fds, 2);
	become_child(z);
	return ERR_OK;
}

/*	top  message  case  senders  states  descriptors  handler */
#define ZYGOTE_ROUTES(R)                                                                           \
	R(ToZygote, peer, TO_ZYGOTE__MSG_PEER, FROM_SUPER, LOADING | READY, 1, on_peer)            \
	R(ToZygote, enter, TO_ZYGOTE__MSG_ENTER, FROM_SUPER, LOADING, 1, on_enter)                 \
	R(ToZygote, ping, TO_ZYGOTE__MSG_PING, FROM_SUPER, LOADING | READY, 0, on_ping)            \
	R(ToZygote, conf, TO_ZYGOTE__MSG_CONF, FROM_MAIN, LOADING | READY, 2, on_conf)             \
	R(ToZygote, spawn, TO_ZYGOTE__MSG_SPAWN, FROM_MAIN, READY, 3, on_spawn)

ROUTES_DEFINE(zygote_routes, ZYGOTE_ROUTES)

/* ---- the loop ---- */

static void main_gone(struct zygote *z)
{
	close(z->main_fd);
	z->main_fd = -1;
}

static void receive(struct zygote *z, int fd, enum worker_sender sender)
{
	TALLOC_CTX *tmp = talloc_new(z);
	ProtobufCMessage *msg = NULL;
	struct ipc_fds fds = { .n = 0 };
	enum err err = ipc_recv(tmp, fd, &to_zygote__descriptor, &msg, &fds);

	if (!err) {
		err = route_dispatch(&zygote_routes, z, &fd, sender, z->state, msg, &fds);
		if (err) {
			log_err(NULL, "zygote-message-failed",
				kv_str("message", ipc_case_name(msg->descriptor, ipc_case(msg))),
				kv_err(err));
			z->done = true;
		}
	} else if (err == ERR_CLOSED && sender == FROM_MAIN) {
		main_gone(z);
	} else if (err != ERR_AGAIN) {
		z->done = true; /* the supervisor has ended, or speaks another language */
	}
	talloc_free(tmp);
}

/* After a crash the next worker must not have the same address layout: a fresh image is started
 * when this one ends. */
static void reap(struct zygote *z)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(z->signal_fd, &info, sizeof info) > 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		tell_exited(z, pid, status);
		if (WIFSIGNALED(status)) {
			log_err(NULL, "worker-crashed", kv_u64("pid", (uint64_t)pid),
				kv_u64("signal", (uint64_t)WTERMSIG(status)));
			z->done = true;
		}
	}
}

static void run(struct zygote *z)
{
	while (!z->done) {
		struct pollfd p[] = {
			{ .fd = z->super_fd, .events = POLLIN },
			{ .fd = z->signal_fd, .events = POLLIN },
			{ .fd = z->main_fd, .events = POLLIN },
		};
		if (poll(p, sizeof p / sizeof p[0], -1) < 0)
			continue;
		if (p[1].revents)
			reap(z);
		if (p[0].revents && !z->done)
			receive(z, z->super_fd, FROM_SUPER);
		else if (p[2].revents && !z->done)
			receive(z, z->main_fd, FROM_MAIN);
	}
}

/* ---- start ---- */

static int parse_channel(int argc, char **argv)
{
	static const char option[] = "--channel=";
	char *end;
	long fd;

	if (argc != 2 || strncmp(argv[1], option, sizeof option - 1) != 0)
		return -1;
	fd = strtol(argv[1] + sizeof option - 1, &end, 10);
	return *end == '\0' && fd > STDERR_FILENO && fd < 1024 ? (int)fd : -1;
}

/* The supervisor alone decides about the end: a terminal or service manager signals everyone.
 * Workers inherit this. */
static void ignore_signals(void)
{
	static const int ignored[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE };

	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		(void)signal(ignored[i], SIG_IGN);
}

static enum err start(struct zygote *z, int channel)
{
	sigset_t chld, others;

	z->super_fd = channel;
	z->main_fd = z->namespaces = -1;
	z->state = LOADING;
	log_to(z, false);
	/* A worker has one thread: arenas of malloc would only scatter its pages. */
	(void)mallopt(M_ARENA_MAX, 1);
	(void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	(void)prctl(PR_SET_NAME, "sallyport-zygot");
	sigemptyset(&others);
	(void)sigprocmask(SIG_SETMASK, &others, NULL);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	ignore_signals();
	if (sigprocmask(SIG_BLOCK, &chld, NULL) < 0 || fcntl(channel, F_SETFD, FD_CLOEXEC) < 0)
		return ERR_SYS;
	z->signal_fd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	z->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return z->signal_fd < 0 || z->null_fd < 0 ? ERR_SYS : ERR_OK;
}

int main(int argc, char **argv)
{
	int channel = parse_channel(argc, argv), status = 0;
	struct zygote *z = talloc_zero(NULL, struct zygote);

	if (channel < 0 || !z) {
		fprintf(stderr, "sallyport-worker is started by sallyportd\n");
		talloc_free(z);
		return 2;
	}
	if (start(z, channel)) {
		fprintf(stderr, "sallyport-worker: cannot start: %s\n", strerror(errno));
		talloc_free(z);
		return 1;
	}
	run(z);
	if (z->is_child)
		status = worker_run(z->image, &z->birth);
	log_set_sink(NULL);
	talloc_free(z);
	return status;
}
