/* sandbox.c - privileges of the auth process.
 *
 * It holds what an attacker wants most and reads nothing from clients but single fields of messages
 * that workers built.  Still: what it cannot do, nobody can make it do. */
#include "auth/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <seccomp.h>

#include "base/log.h"

void sandbox_early(bool traceable)
{
	struct rlimit none = { 0, 0 };
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	(void)setrlimit(RLIMIT_CORE, &none);
	if (!traceable)
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* Without the limit out of the way, locking would make allocations fail later. */
	if (setrlimit(RLIMIT_MEMLOCK, &all) == 0 &&
	    mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		log_debug(NULL, "memory-not-locked", kv_u64("errno", (uint64_t)errno));
}

/* Files of administrators need not be readable for us by their mode. */
static const unsigned own_caps[] = { CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH };

/* PAM modules replace files together with their owner (the shadow file at a change of password),
 * act as the user whose files they read, and report to the audit system, where a refusal to root
 * fails the login. */
static const unsigned module_caps[] = { CAP_CHOWN, CAP_FOWNER, CAP_SETUID, CAP_SETGID,
					CAP_AUDIT_WRITE };

enum {
	N_OWN = sizeof own_caps / sizeof own_caps[0],
	N_MODULE = sizeof module_caps / sizeof module_caps[0]
};

static uint64_t set_of(const unsigned *caps, size_t n)
{
	uint64_t set = 0;

	for (size_t i = 0; i < n; i++)
		set |= UINT64_C(1) << caps[i];
	return set;
}

/* What is in no set is gone for good. */
static enum err limit_caps(uint64_t effective, uint64_t permitted)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (syscall(SYS_capget, &header, data) < 0)
		return ERR_SYS;
	for (unsigned i = 0; i < 2; i++) {
		data[i].effective &= (uint32_t)(effective >> 32 * i);
		data[i].permitted &= (uint32_t)(permitted >> 32 * i);
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data) < 0 ? ERR_SYS : ERR_OK;
}

static enum err drop_caps(void)
{
	uint64_t own = set_of(own_caps, N_OWN);
	uint64_t all = own | set_of(module_caps, N_MODULE);

	/* What the bounding set lacks, an executed runner cannot have either. */
	for (unsigned cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!(all >> cap & 1))
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	return limit_caps(own, all);
}

enum err sandbox_runner(void)
{
	uint64_t own = set_of(own_caps, N_OWN);

	return limit_caps(own, own);
}

/* Ways to look into other processes, to change the system, or to reach rarely used parts of the
 * kernel.  A deny-list, because libraries behind keys and backends (PKCS#11 modules, PAM) call what
 * they like; what they must never call is known. */
static const int denied[] = {
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(kcmp),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(bpf),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(move_mount),
	SCMP_SYS(open_tree),
	SCMP_SYS(fsopen),
	SCMP_SYS(fsmount),
	SCMP_SYS(setns),
	SCMP_SYS(unshare),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(reboot),
	SCMP_SYS(acct),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(adjtimex),
	SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname),
	SCMP_SYS(iopl),
	SCMP_SYS(ioperm),
	SCMP_SYS(quotactl),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(personality),
	SCMP_SYS(lookup_dcookie),
	SCMP_SYS(vhangup),
};

/* EPERM instead of a kill: a library that probes for a feature must not take all logins down. */
static enum err filter_calls(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int ret = ctx ? 0 : -1;

	for (size_t i = 0; ret >= 0 && i < sizeof denied / sizeof denied[0]; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), denied[i], 0);
	if (ret >= 0)
		ret = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return ret < 0 ? ERR_SYS : ERR_OK;
}

enum err sandbox_enter(bool traceable)
{
	enum err err = drop_caps();

	if (err)
		return err;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return ERR_SYS;
	return traceable ? ERR_OK : filter_calls();
}
