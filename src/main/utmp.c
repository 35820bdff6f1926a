/* utmp.c - login records through the C library's utmpx. */
#include "main/utmp.h"

#include <errno.h>
#include <paths.h>
#include <string.h>
#include <sys/time.h>
#include <utmpx.h>

#include "base/log.h"
#include "base/str.h"

/* updwtmpx is what glibc names it; the path is the one last(1) reads. */
static void write_record(const struct utmp_entry *e, short type)
{
	struct utmpx u = { .ut_type = type, .ut_pid = (pid_t)e->id };
	struct timeval now;
	char ip[ADDR_TEXT];

	str_copy(u.ut_line, sizeof u.ut_line, e->device);
	if (type == USER_PROCESS)
		str_copy(u.ut_user, sizeof u.ut_user, e->user);
	str_copy(u.ut_host, sizeof u.ut_host, addr_print(&e->remote, ip));
	memcpy(u.ut_addr_v6, e->remote.bytes, addr_len(&e->remote));
	gettimeofday(&now, NULL);
	u.ut_tv.tv_sec = (int32_t)now.tv_sec; /* the file's format has 32 bits (until 2106) */
	u.ut_tv.tv_usec = (int32_t)now.tv_usec;
	setutxent();
	if (!pututxline(&u))
		log_debug(NULL, "utmp-not-written", kv_str("reason", strerror(errno)));
	endutxent();
	updwtmpx(_PATH_WTMP, &u);
}

void utmp_login(const struct utmp_entry *entry)
{
	write_record(entry, USER_PROCESS);
}

void utmp_logout(const struct utmp_entry *entry)
{
	write_record(entry, DEAD_PROCESS);
}
