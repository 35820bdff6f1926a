/* daemon.c - background and pid file. */
#include "super/daemon.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum err daemon_detach(bool chdir_root)
{
	int null;
	pid_t pid = fork();

	if (pid < 0)
		return ERR_SYS;
	if (pid > 0)
		_exit(0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (setsid() < 0 || null < 0 || (chdir_root && chdir("/") < 0))
		return ERR_SYS;
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	close(null);
	return ERR_OK;
}

enum err daemon_check_pid(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	return fd >= 0 && close(fd) == 0 ? ERR_OK : ERR_SYS;
}

enum err daemon_write_pid(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool ok;

	if (fd < 0)
		return ERR_SYS;
	ok = dprintf(fd, "%d", (int)getpid()) > 0;
	return close(fd) == 0 && ok ? ERR_OK : ERR_SYS;
}
