/* traffic.h - what all tunnels of a session have carried, for accounting.
 *
 * The devices are counted: that is right whichever way a worker ends, and a client that has taken
 * its worker over cannot make its own bill smaller.  But a device takes a large packet for one,
 * with one header; only the worker knows the packets of the wire, so where it says more, it is
 * believed.  Used by main. */
#ifndef MAIN_TRAFFIC_H
#define MAIN_TRAFFIC_H

#include "main/sessions.h"

/* What has gone through S's device; zeros when it has none. */
void traffic_of_device(const struct session *s, Counters *out);

/* S's worker ends; the device may go on with another. */
void traffic_worker_ends(struct session *s);

/* The sum of all devices up to now. */
void traffic_total(const struct session *s, Counters *out);

/* S's device is about to go: what it counted is kept. */
void traffic_keep(struct session *s);

/* A tunnel ended while there was no main, and took its device along: only its worker knows. */
void traffic_believe(struct session *s, const Counters *told);

/* Tells auth the sum, for an interim record. */
void traffic_tell(const struct session *s);

#endif /* MAIN_TRAFFIC_H */
