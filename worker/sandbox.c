/* sandbox.c - system-call filters and limits of workers. */
#include "config.h"

#include "worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <seccomp.h>

#include "base/log.h"

enum {
	L = 1 << SANDBOX_LOGIN,
	T = 1 << SANDBOX_TUNNEL,
	/* Client, main, auth, TUN, two UDP associations, standard ones; the rest is for those that
	 * arrive before they are refused. */
	FILES_MAX = 24,
};

struct sandbox {
	struct sock_fprog prog[SANDBOX_PHASES]; /* filters are talloc children */
};

/* Calls without conditions.  Columns: call, phases, who needs it. */
struct rule {
	int call;
	unsigned phases;
	const char *reason;
};

static const struct rule rules[] = {
	{ SCMP_SYS(read), L | T, "TUN packets" },
	{ SCMP_SYS(write), L | T, "TUN packets" },
	{ SCMP_SYS(readv), L | T, "TUN packets with their header" },
	{ SCMP_SYS(writev), L | T, "TUN packets with their header" },
	{ SCMP_SYS(recvfrom), L | T, "TLS records, length of the next message" },
	{ SCMP_SYS(recvmsg), L | T, "messages, datagrams with their segment size" },
	{ SCMP_SYS(recvmmsg), L | T, "batches of datagrams" },
	{ SCMP_SYS(sendto), L | T, "TLS records" },
	{ SCMP_SYS(sendmsg), L | T, "TLS records, messages, segmented datagrams" },
	{ SCMP_SYS(sendmmsg), L | T, "batches of datagrams" },
	{ SCMP_SYS(poll), L | T, "waiting" },
	{ SCMP_SYS(ppoll), L | T, "waiting" },
	{ SCMP_SYS(close), L | T, "ends of channels" },
	{ SCMP_SYS(shutdown), L | T, "the client reads our last words before the end" },
	{ SCMP_SYS(getsockopt), L | T, "path MTU, pending errors" },
	{ SCMP_SYS(brk), L | T, "memory" },
	{ SCMP_SYS(munmap), L | T, "memory" },
	{ SCMP_SYS(mremap), L | T, "memory" },
	{ SCMP_SYS(madvise), L | T, "memory given back" },
	{ SCMP_SYS(clock_gettime), L | T, "timers where the vDSO does not help" },
	{ SCMP_SYS(gettimeofday), L | T, "GnuTLS: time of a session" },
	{ SCMP_SYS(time), L | T, "GnuTLS: time of a session" },
	{ SCMP_SYS(getrandom), L | T, "keys, nonces" },
	{ SCMP_SYS(getpid), L | T, "GnuTLS: fork detection" },
	{ SCMP_SYS(getrusage), L | T, "GnuTLS: seeding" },
	{ SCMP_SYS(futex), L | T, "locks of libraries" },
	{ SCMP_SYS(rt_sigreturn), L | T, "end of a signal handler" },
	{ SCMP_SYS(rt_sigprocmask), L | T, "libc" },
	{ SCMP_SYS(restart_syscall), L | T, "stop and continue" },
	{ SCMP_SYS(exit), L | T, "the end" },
	{ SCMP_SYS(exit_group), L | T, "the end" },
	{ SCMP_SYS(seccomp), L, "installs the filter of the tunnel phase" },
#ifdef WITH_SANITIZERS
	{ SCMP_SYS(sigaltstack), L | T, "sanitizer runtime" },
	{ SCMP_SYS(mprotect), L | T, "sanitizer runtime" },
	{ SCMP_SYS(mmap), L | T, "sanitizer runtime" },
	{ SCMP_SYS(sched_yield), L | T, "sanitizer runtime" },
	{ SCMP_SYS(gettid), L | T, "sanitizer runtime" },
	{ SCMP_SYS(rt_sigaction), L | T, "sanitizer runtime" },
	{ SCMP_SYS(fcntl), L | T, "sanitizer runtime" },
	{ SCMP_SYS(tgkill), L | T, "sanitizer runtime: abort" },
	{ SCMP_SYS(prlimit64), L | T, "sanitizer runtime: stack bounds" },
#endif
};

static int allow_if(scmp_filter_ctx f, int call, struct scmp_arg_cmp condition)
{
	int r = seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1, condition);

	return r == -EEXIST ? 0 : r; /* the table allows it as a whole */
}

/* Memory never becomes executable. */
static int allow_memory(scmp_filter_ctx f)
{
	const struct scmp_arg_cmp no_exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	int r = allow_if(f, SCMP_SYS(mmap), no_exec);

	return r == 0 ? allow_if(f, SCMP_SYS(mprotect), no_exec) : r;
}

/* Options of the sockets it has: buffers, segmentation, don't-fragment, no delay. */
static int allow_setsockopt(scmp_filter_ctx f)
{
	static const unsigned levels[] = { SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP,
					   IPPROTO_UDP };
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof levels / sizeof levels[0]; i++)
		r = allow_if(f, SCMP_SYS(setsockopt), SCMP_A1(SCMP_CMP_EQ, levels[i], 0));
	return r;
}

/* Copies of descriptors while a full channel's message waits, and their flags. */
static int allow_fcntl(scmp_filter_ctx f)
{
	static const unsigned commands[] = { F_DUPFD_CLOEXEC, F_GETFL, F_SETFL, F_SETFD };
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof commands / sizeof commands[0]; i++)
		r = allow_if(f, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, commands[i], 0));
	return r;
}

static int add_rules(scmp_filter_ctx f, enum sandbox_phase phase)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof rules / sizeof rules[0]; i++)
		if (rules[i].phases & (1u << phase))
			r = seccomp_rule_add(f, SCMP_ACT_ALLOW, rules[i].call, 0);
	if (r == 0)
		r = allow_memory(f);
	if (r == 0)
		r = allow_fcntl(f);
	if (r == 0)
		r = allow_setsockopt(f);
#ifdef WITH_SANITIZERS
	/* A report reads /proc for its symbols; it shall be printed without rather than cut. */
	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0);
	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(readlink), 0);
#endif
	return r;
}

/* The program of F as bytes; its memory is a child of CTX. */
static enum err export_program(TALLOC_CTX *ctx, scmp_filter_ctx f, struct sock_fprog *out)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	struct stat st = { 0 };
	enum err err = ERR_SYS;

	if (fd < 0)
		return ERR_SYS;
	if (seccomp_export_bpf(f, fd) == 0 && fstat(fd, &st) == 0 && st.st_size > 0) {
		out->filter = talloc_size(ctx, (size_t)st.st_size);
		out->len = (unsigned short)((size_t)st.st_size / sizeof(struct sock_filter));
		if (out->filter &&
		    pread(fd, out->filter, (size_t)st.st_size, 0) == (ssize_t)st.st_size)
			err = ERR_OK;
	}
	close(fd);
	return err;
}

static enum err compile(TALLOC_CTX *ctx, enum sandbox_phase phase, struct sock_fprog *out)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	enum err err = ERR_SYS;

	if (!f)
		return ERR_NOMEM;
	/* A tree instead of a list: what a filter costs is paid with every packet. */
	(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (add_rules(f, phase) == 0)
		err = export_program(ctx, f, out);
	seccomp_release(f);
	return err;
}

enum err sandbox_new(TALLOC_CTX *ctx, struct sandbox **out)
{
	struct sandbox *sb = talloc_zero(ctx, struct sandbox);
	enum err err = sb ? ERR_OK : ERR_NOMEM;

	for (unsigned i = 0; !err && i < SANDBOX_PHASES; i++)
		err = compile(sb, (enum sandbox_phase)i, &sb->prog[i]);
	if (err) {
		log_err(NULL, "sandbox-not-compiled", kv_err(err));
		talloc_free(sb);
		return err;
	}
	*out = sb;
	return ERR_OK;
}

enum err sandbox_enter(const struct sandbox *sb, enum sandbox_phase phase)
{
	struct sock_fprog prog = sb->prog[phase];

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0 ? ERR_OK : ERR_SYS;
}

static bool limit(__rlimit_resource_t what, rlim_t value)
{
	const struct rlimit r = { value, value };

	return setrlimit(what, &r) == 0;
}

enum err sandbox_limits(uint64_t memory)
{
	bool ok = limit(RLIMIT_NOFILE, FILES_MAX) && limit(RLIMIT_NPROC, 0) &&
		  limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_CORE, 0);

#ifndef WITH_SANITIZERS /* ASan maps terabytes */
	if (memory)
		ok = ok && limit(RLIMIT_AS, memory);
#else
	(void)memory;
#endif
	return ok ? ERR_OK : ERR_SYS;
}
