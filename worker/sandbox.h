/* sandbox.h - what a worker may still ask of the kernel.  Filters are compiled once by the zygote
 * and only installed by each worker.  Used by the zygote and the workers. */
#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H

#include <stdint.h>
#include <talloc.h>

#include "base/err.h"

enum sandbox_phase {
	SANDBOX_LOGIN,	/* TLS, HTTP, questions to main and auth */
	SANDBOX_TUNNEL, /* packets: I/O on descriptors it has, timers, memory */
	SANDBOX_PHASES,
};

struct sandbox;

/* Compiles the filter of each phase.  *OUT is a child of CTX.  ERR_SYS. */
MUST_USE enum err sandbox_new(TALLOC_CTX *ctx, struct sandbox **out);

/* Installs the filter of PHASE for good; a call it does not list kills the process. */
MUST_USE enum err sandbox_enter(const struct sandbox *sb, enum sandbox_phase phase);

/* Resource limits of a worker.  MEMORY: bytes of address space, 0 unlimited. */
MUST_USE enum err sandbox_limits(uint64_t memory);

#endif /* WORKER_SANDBOX_H */
