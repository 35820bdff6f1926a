/* holder.c - first process of the workers' namespaces. */
#include "super/holder.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { UID_NOBODY = 65534 };

/* Replaces the mount tree by one empty, read-only tmpfs. */
static bool empty_root(void)
{
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		     "size=4k,mode=0555") == 0 &&
	       chdir("/tmp") == 0 && syscall(SYS_pivot_root, ".", ".") == 0 &&
	       umount2(".", MNT_DETACH) == 0 && chdir("/") == 0 &&
	       mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV,
		     NULL) == 0;
}

static _Noreturn void hold(int ready)
{
	bool ok = empty_root() && setgroups(0, NULL) == 0 &&
		  setresgid(UID_NOBODY, UID_NOBODY, UID_NOBODY) == 0 &&
		  setresuid(UID_NOBODY, UID_NOBODY, UID_NOBODY) == 0;

	/* After the change of user, which would clear it. */
	ok = ok && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
	     prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
	(void)prctl(PR_SET_NAME, "sallyport-ns");
	if (!ok || write(ready, "", 1) != 1)
		_exit(1);
	(void)close_range(0, ~0U, 0);
	for (;;)
		pause();
}

/* fork(2) into new namespaces; the kernel's clone without a new stack is just that. */
static pid_t fork_into(unsigned long namespaces)
{
	return (pid_t)syscall(SYS_clone, namespaces | SIGCHLD, 0UL, 0UL, 0UL, 0UL);
}

enum err holder_start(pid_t *pid_out, int *pidfd_out)
{
	int ready[2], pidfd;
	pid_t pid;
	char c;

	if (pipe(ready) < 0)
		return ERR_SYS;
	pid = fork_into(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC);
	if (pid == 0)
		hold(ready[1]);
	close(ready[1]);
	pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	if (pidfd < 0 || read(ready[0], &c, 1) != 1) {
		close(ready[0]);
		if (pidfd >= 0)
			close(pidfd);
		return ERR_SYS; /* a failed holder has exited and is reaped as any child */
	}
	close(ready[0]);
	*pid_out = pid;
	*pidfd_out = pidfd;
	return ERR_OK;
}
