/* events.c - show events: who comes and goes, until 'q', a signal or the server's end. */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "ctl/fmt.h"
#include "ctl/json.h"
#include "ctl/show.h"
#include "ctl/text.h"
#include "ctl/user.h"

static void print_line(const struct view *v, const CtlEvent *e)
{
	const CtlUser *u = e->user;
	char time[FMT_TEXT];

	fprintf(v->out, "%s: %s user '%s' (%u) from %s with IP %s", text_safe(v->ctx, u->vhost),
		e->connected ? "connected" : "disconnect", text_safe(v->ctx, u->username), u->id,
		u->remote_ip, user_vpn_ip(u));
	if (!e->connected)
		fprintf(v->out, " (reason: %s, time: %s)", text_safe(v->ctx, e->reason),
			fmt_interval((int64_t)e->duration, time));
	fputc('\n', v->out);
}

static void print_event(TALLOC_CTX *ctx, const struct ctl *ctl, const CtlEvent *e)
{
	struct js_array list = { .out = ctl->out };
	struct view v = view_of(ctx, ctl);

	if (!e->user)
		return;
	if (ctl->json) {
		js_array_add(&list, user_json(&v, e->user));
		js_array_end(&list);
	} else {
		print_line(&v, e);
	}
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

/* Prints what has arrived.  False at the server's end, or when nobody reads what we print. */
static bool read_events(TALLOC_CTX *ctx, const struct ctl *ctl, int fd)
{
	TALLOC_CTX *tmp = talloc_new(ctx);
	CtlReply *reply;
	enum err err;

	while ((err = client_read(tmp, fd, &reply)) == ERR_OK) {
		if (reply->msg_case == CTL_REPLY__MSG_EVENT)
			print_event(tmp, ctl, reply->event);
		else if (reply->msg_case == CTL_REPLY__MSG_DONE)
			fputs("another 'show events' was started: this one hears no more\n",
			      stderr);
	}
	talloc_free(tmp);
	if (err != ERR_AGAIN)
		client_say_lost();
	return fflush(ctl->out) == 0 && err == ERR_AGAIN;
}

/* A key was pressed, or standard input has ended and is not watched any more. */
static bool is_quit_key(struct pollfd *in)
{
	char c = 0;

	if (read(in->fd, &c, 1) <= 0)
		in->fd = -1;
	return c == 'q' || c == 'Q';
}

/* Returns the exit code: leaving is what one does here, the server's end is a failure. */
static int follow(TALLOC_CTX *ctx, const struct ctl *ctl, int fd, int signals)
{
	struct pollfd p[] = {
		{ fd, POLLIN, 0 },
		{ STDIN_FILENO, POLLIN, 0 },
		{ signals, POLLIN, 0 },
		{ STDOUT_FILENO, 0, 0 }, /* a pipe that nobody reads any more */
	};

	while (poll(p, sizeof p / sizeof p[0], -1) > 0) {
		if (p[2].revents || p[3].revents || (p[1].revents && is_quit_key(&p[1])))
			return EXIT_SUCCESS;
		if (p[0].revents && !read_events(ctx, ctl, fd))
			return EXIT_FAILURE;
	}
	return EXIT_FAILURE;
}

/* Signals end the loop and not the program, so that the terminal is put right again.  Both are
 * ready before anybody is told how to end it. */
static int follow_until_signal(TALLOC_CTX *ctx, const struct ctl *ctl, int fd)
{
	sigset_t stop, old_mask;
	struct termios old;
	int signals, status;
	bool keys;

	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGHUP);
	sigprocmask(SIG_BLOCK, &stop, &old_mask);
	signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	keys = terminal_begin(&old);
	if (!ctl->json)
		fputs("Press 'q' or CTRL+C to quit\n", ctl->out);
	fflush(ctl->out);
	status = follow(ctx, ctl, fd, signals);
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
	return status;
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
	if (status == EXIT_SUCCESS)
		status = follow_until_signal(ctx, ctl, fd);
	close(fd);
	return status;
}
