/* programs.c - the sibling programs of this build. */
#include "super/programs.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
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

/* Opens both programs below BASE; SUB says whether they lie in folders of their own. */
static bool open_both(const char *base, bool sub, struct programs *out)
{
	char path[PATH_MAX];
	int auth, worker;

	snprintf(path, sizeof path, "%s/%ssallyport-auth", base, sub ? "auth/" : "");
	auth = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "%s/%ssallyport-worker", base, sub ? "worker/" : "");
	worker = open(path, O_RDONLY | O_CLOEXEC);
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

	own_folder(dir);
	snprintf(tree, sizeof tree, "%s/..", dir);
	if (!open_both(tree, true, &p) &&
	    !(strcmp(dir, SBINDIR) == 0 && open_both(PKGLIBEXECDIR, false, &p)) &&
	    !open_both(BUILDDIR, true, &p) && !open_both(PKGLIBEXECDIR, false, &p))
		return ERR_NOT_FOUND;
	p.self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (p.self < 0) {
		close(p.auth);
		close(p.worker);
		return ERR_SYS;
	}
	*out = p;
	return ERR_OK;
}
