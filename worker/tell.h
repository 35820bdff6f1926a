/* tell.h - what a worker reports to main.  Main may be absent for a moment: messages then wait in
 * the socket or, in the tunnel, in a bounded queue; log lines that do not fit are lost.  Nothing
 * here can fail the worker. */
#ifndef WORKER_TELL_H
#define WORKER_TELL_H

#include "worker/path/path.h"
#include "worker/worker.h"

/* Sends the log of this process to main. */
void tell_log_init(struct worker *w);

void tell_proxied(struct worker *w);	/* what the PROXY header says; Admitted or End follows */
void tell_info(struct worker *w);	/* who the client is, once that is known */
void tell_tunnel_up(struct worker *w);	/* the client has its answer */
void tell_terminated(struct worker *w); /* somebody wants this session to end */
void tell_tun_mtu(struct worker *w, uint32_t mtu);
void tell_facts(struct worker *w); /* DTLS came or went, the MTU changed */
void tell_counters(struct worker *w, const struct path_counters *counters);
void tell_description(struct worker *w); /* everything, with the TUN device */

/* The last word: w->ending, and whether the session may be taken up again. */
void tell_ended(struct worker *w, bool keep, const struct path_counters *counters);

#endif /* WORKER_TELL_H */
