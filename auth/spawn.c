/* spawn.c - starts programs beside ours. */
#include "auth/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

extern char **environ;

enum { CHANNEL_FD = 3 };

bool spawn_folder(char out[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", out, PATH_MAX - 1);
	char *slash;

	if (len <= 0)
		return false;
	out[len] = '\0';
	slash = strrchr(out, '/');
	if (slash)
		*slash = '\0';
	return slash;
}

/* Opens the program, unless it could be somebody else's. */
static int open_program(const char *folder, const char *name)
{
	char path[PATH_MAX];
	struct stat st, self;
	int fd;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && stat("/proc/self/exe", &self) == 0 &&
	    (st.st_uid == 0 || st.st_uid == self.st_uid))
		return fd;
	log_err(NULL, "runner-not-found", kv_str("file", path));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Only the channel survives the exec; everything else of ours is close-on-exec. */
enum err spawn_program(const char *folder, const char *name, char *const *argv, int channel,
		       pid_t *pid)
{
	int program = open_program(folder, name);
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char path[64];
	sigset_t none;
	int error;

	if (program < 0)
		return ERR_NOT_FOUND;
	snprintf(path, sizeof path, "/proc/self/fd/%d", program);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&actions, channel, CHANNEL_FD);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	error = posix_spawn(pid, path, &actions, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	close(program);
	if (!error)
		return ERR_OK;
	log_err(NULL, "runner-not-started", kv_str("reason", strerror(error)));
	return ERR_SYS;
}
