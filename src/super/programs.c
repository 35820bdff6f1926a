/* programs.c - the sibling programs of this build. */
#include "super/programs.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Folder of this executable, symbolic links resolved; "" when the kernel does not say. */
static void own_folder(char dir[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", dir, PATH_MAX - 1);
	char *slash;

	dir[n > 0 ? n : 0] = '\0';
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
}

/* Opens PATH if it belongs to root or to whoever owns this very program (OWNER): the folders looked
 * at may lie where others can put files, and what is found there runs as root. */
static int open_ours(const char *path, uid_t owner)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_uid == 0 || st.st_uid == owner))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Opens both programs below BASE; SUB says whether they lie in folders of their own. */
static bool open_both(const char *base, bool sub, uid_t owner, struct programs *out)
{
	char path[PATH_MAX];
	int auth, worker;

	snprintf(path, sizeof path, "%s/%ssallyport-auth", base, sub ? "auth/" : "");
	auth = open_ours(path, owner);
	snprintf(path, sizeof path, "%s/%ssallyport-worker", base, sub ? "worker/" : "");
	worker = open_ours(path, owner);
	if (auth >= 0 && worker >= 0) {
		out->auth = auth;
		out->worker = worker;
		return true;
	}
	if (auth >= 0)
		close(auth);
	if (worker >= 0)
		close(worker);
	return false;
}

enum err programs_open(struct programs *out)
{
	char dir[PATH_MAX], tree[PATH_MAX + 4];
	struct programs p = { -1, -1, -1 };
	struct stat self;

	own_folder(dir);
	snprintf(tree, sizeof tree, "%s/..", dir);
	p.self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (p.self < 0)
		return ERR_SYS;
	if (fstat(p.self, &self) < 0 ||
	    (!open_both(tree, true, self.st_uid, &p) &&
	     !(strcmp(dir, SBINDIR) == 0 && open_both(PKGLIBEXECDIR, false, self.st_uid, &p)) &&
	     !open_both(BUILDDIR, true, self.st_uid, &p) &&
	     !open_both(PKGLIBEXECDIR, false, self.st_uid, &p))) {
		close(p.self);
		return ERR_NOT_FOUND;
	}
	*out = p;
	return ERR_OK;
}
