/* privs.c - gives up privileges. */
#include "worker/privs.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

enum { ID_NOBODY = 65534 };

enum err privs_lookup(const char *user, const char *group, struct privs *out)
{
	const struct passwd *pw = getpwnam(user ? user : "nobody");
	const struct group *gr;

	if (!pw && user)
		return ERR_NOT_FOUND;
	out->uid = pw ? pw->pw_uid : ID_NOBODY;
	out->gid = pw ? pw->pw_gid : ID_NOBODY;
	if (!group)
		return ERR_OK;
	gr = getgrnam(group);
	if (!gr)
		return ERR_NOT_FOUND;
	out->gid = gr->gr_gid;
	return ERR_OK;
}

enum err privs_enter(int pidfd)
{
	int spaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC;

	return setns(pidfd, spaces) == 0 ? ERR_OK : ERR_SYS;
}

enum err privs_chroot(const char *dir)
{
	return chdir(dir) == 0 && chroot(".") == 0 && chdir("/") == 0 ? ERR_OK : ERR_SYS;
}

/* Capabilities that exec could bring back; needs CAP_SETPCAP, so it comes first. */
static void drop_bounding(void)
{
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static bool drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capset, &head, none) == 0;
}

enum err privs_drop(const struct privs *p, bool traceable)
{
	bool root = geteuid() == 0;

	drop_bounding();
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* A server that an ordinary user started for a test has nothing to give up. */
	if (root && (setgroups(0, NULL) < 0 || setresgid(p->gid, p->gid, p->gid) < 0 ||
		     setresuid(p->uid, p->uid, p->uid) < 0))
		return ERR_SYS;
	if (!drop_capabilities() || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, traceable, 0, 0, 0) < 0)
		return ERR_SYS;
	if (root && p->uid != 0 && setresuid(0, 0, 0) == 0)
		fatal_bug("root came back");
	return ERR_OK;
}
