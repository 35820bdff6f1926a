/* control_sock.c - the listening socket of control.h and its file. */
#include "main/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	BACKLOG = 64,
	MODE = 0711, /* admin.md 5 */
};

static enum err set_path(struct sockaddr_un *sa, const char *path)
{
	memset(sa, 0, sizeof *sa);
	sa->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof sa->sun_path)
		return ERR_TOO_LONG;
	memcpy(sa->sun_path, path, strlen(path));
	return ERR_OK;
}

/* Somebody accepts connections at SA. */
static bool is_alive(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive;

	if (fd < 0)
		return true;
	alive = connect(fd, (const struct sockaddr *)sa, sizeof *sa) == 0 ||
		(errno != ECONNREFUSED && errno != ENOENT);
	close(fd);
	return alive;
}

static enum err remove_stale(const struct sockaddr_un *sa)
{
	struct stat st;

	if (lstat(sa->sun_path, &st) < 0)
		return errno == ENOENT ? ERR_OK : ERR_SYS;
	if (!S_ISSOCK(st.st_mode) || is_alive(sa))
		return ERR_BUSY;
	return unlink(sa->sun_path) < 0 ? ERR_SYS : ERR_OK;
}

/* Binds with no permissions at all, then widens: nobody slips in between. */
static enum err bind_at(int fd, const struct sockaddr_un *sa, uid_t uid, gid_t gid)
{
	mode_t old = umask(0777);
	int ret = bind(fd, (const struct sockaddr *)sa, sizeof *sa);

	umask(old);
	if (ret < 0)
		return ERR_SYS;
	if (chown(sa->sun_path, uid, gid) < 0 || chmod(sa->sun_path, MODE) < 0 ||
	    listen(fd, BACKLOG) < 0) {
		unlink(sa->sun_path);
		return ERR_SYS;
	}
	return ERR_OK;
}

enum err control_listen(const char *path, uid_t uid, gid_t gid, int *out)
{
	struct sockaddr_un sa;
	enum err err = set_path(&sa, path);
	int fd;

	if (!err)
		err = remove_stale(&sa);
	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return ERR_SYS;
	err = bind_at(fd, &sa, uid, gid);
	if (err)
		close(fd);
	else
		*out = fd;
	return err;
}
