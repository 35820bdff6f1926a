/* child.c - fork, exec and channel of a supervised process. */
#include "super/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "ipc/super.pb-c.h"

enum { CHANNEL_FD = 3, ARGS_MAX = 32 };

extern char **environ;

static void reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
}

/* In the child, between fork and exec. */
static _Noreturn void exec_child(int program, char *const argv[], int channel, int death,
				 pid_t parent)
{
	char channel_arg[] = "--channel=3";
	char *args[ARGS_MAX + 2];
	int n = 0, exe;

	for (; n < ARGS_MAX && argv[n]; n++)
		args[n] = argv[n];
	args[n] = channel_arg;
	args[n + 1] = NULL;
	reset_signals();
	prctl(PR_SET_PDEATHSIG, death);
	if (getppid() != parent)
		_exit(1);
	/* Above everything that dup2 may overwrite, and still closed by exec. */
	exe = fcntl(program, F_DUPFD_CLOEXEC, CHANNEL_FD + 1);
	if (channel == CHANNEL_FD)
		fcntl(channel, F_SETFD, 0);
	else
		dup2(channel, CHANNEL_FD);
	fexecve(exe, args, environ);
	_exit(1);
}

enum err child_start(struct child *c, struct ev_loop *loop, TALLOC_CTX *ctx, int program,
		     char *const argv[], int death, const struct chan_ops *ops, void *arg)
{
	pid_t parent = getpid();
	int pair[2];
	enum err err = ipc_pair(pair);

	if (err)
		return err;
	c->pid = fork();
	if (c->pid == 0)
		exec_child(program, argv, pair[1], death, parent);
	close(pair[1]);
	if (c->pid < 0) {
		close(pair[0]);
		c->pid = 0;
		return ERR_SYS;
	}
	c->started = clock_ms();
	c->starts++;
	return chan_new(ctx, loop, pair[0], &to_super__descriptor, ops, arg, &c->chan);
}

void child_ended(struct child *c)
{
	talloc_free(c->chan);
	c->chan = NULL;
	c->pid = 0;
}
