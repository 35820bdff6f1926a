/* events.c - show events: who comes and goes, until 'q', a signal or the server's end. */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/fmt.h"
#include "ctl/json.h"
#include "ctl/show.h"
#include "ctl/user.h"

static void print_event(TALLOC_CTX *ctx, const struct ctl *ctl, const CtlEvent *e)
{
	const CtlUser *u = e->user;
	char time[FMT_TEXT];
	json_t *list;

	if (!u)
		return;
	if (ctl->json) {
		list = json_array();
		json_array_append_new(list, user_json(ctx, u, clock_unix()));
		js_print(ctl->out, list);
		return;
	}
	fprintf(ctl->out, "%s: %s user '%s' (%u) from %s with IP %s", u->vhost,
		e->connected ? "connected" : "disconnect", fmt_safe(ctx, u->username), u->id,
		u->remote_ip, user_vpn_ip(u));
	if (!e->connected)
		fprintf(ctl->out, " (reason: %s, time: %s)", fmt_safe(ctx, e->reason),
			fmt_interval((int64_t)e->duration, time));
	fputc('\n', ctl->out);
}

/* Single keys without echo, if standard input is a terminal. */
static bool terminal_begin(struct termios *old)
{
	struct termios keys;

	if (tcgetattr(STDIN_FILENO, old) < 0)
		return false;
	keys = *old;
	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	return tcsetattr(STDIN_FILENO, TCSANOW, &keys) == 0;
}

/* Prints what has arrived.  False at the server's end. */
static bool read_events(TALLOC_CTX *ctx, const struct ctl *ctl, int fd)
{
	TALLOC_CTX *tmp = talloc_new(ctx);
	CtlReply *reply;
	enum err err;

	while ((err = client_read(tmp, fd, &reply)) == ERR_OK)
		if (reply->msg_case == CTL_REPLY__MSG_EVENT)
			print_event(tmp, ctl, reply->event);
	talloc_free(tmp);
	fflush(ctl->out);
	return err == ERR_AGAIN;
}

/* A key was pressed, or standard input has ended and is not watched any more. */
static bool is_quit_key(struct pollfd *in)
{
	char c = 0;

	if (read(in->fd, &c, 1) <= 0)
		in->fd = -1;
	return c == 'q' || c == 'Q';
}

static void follow(TALLOC_CTX *ctx, const struct ctl *ctl, int fd, int signals)
{
	struct pollfd p[] = { { fd, POLLIN, 0 },
			      { STDIN_FILENO, POLLIN, 0 },
			      { signals, POLLIN, 0 } };

	while (poll(p, 3, -1) > 0) {
		if (p[2].revents || (p[1].revents && is_quit_key(&p[1])))
			return;
		if (p[0].revents && !read_events(ctx, ctl, fd))
			return;
	}
}

/* Signals end the loop and not the program, so that the terminal is put right again. */
static void follow_until_signal(TALLOC_CTX *ctx, const struct ctl *ctl, int fd)
{
	sigset_t stop, old_mask;
	struct termios old;
	bool keys = terminal_begin(&old);
	int signals;

	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGHUP);
	sigprocmask(SIG_BLOCK, &stop, &old_mask);
	signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	follow(ctx, ctl, fd, signals);
	if (signals >= 0) {
		struct signalfd_siginfo seen;
		/* Taken from the queue, or they would end the program once they are let in. */
		while (read(signals, &seen, sizeof seen) > 0)
			;
		close(signals);
	}
	sigprocmask(SIG_SETMASK, &old_mask, NULL);
	if (keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &old);
}

/* Listens first and lists the users then: nobody is missed in between. */
int show_events(TALLOC_CTX *ctx, struct ctl *ctl, const struct cmd_value *v)
{
	CtlNothing nothing = CTL_NOTHING__INIT;
	CtlRequest req = CTL_REQUEST__INIT;
	int fd, status;

	req.msg_case = CTL_REQUEST__MSG_EVENTS;
	req.events = &nothing;
	if (client_connect(ctl->socket, false, &fd))
		return EXIT_FAILURE;
	if (client_send(fd, &req)) {
		client_say_lost();
		close(fd);
		return EXIT_FAILURE;
	}
	status = show_users(ctx, ctl, v);
	if (status == EXIT_SUCCESS) {
		if (!ctl->json)
			fputs("Press 'q' or CTRL+C to quit\n", ctl->out);
		fflush(ctl->out);
		follow_until_signal(ctx, ctl, fd);
	}
	close(fd);
	return status;
}
