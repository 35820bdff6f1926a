/* crlwatch.h - notices that a revocation list was replaced, so that it counts without SIGHUP.
 *
 * A look at the files every few seconds, and only while there are any: a watch of the kernel would
 * miss files behind symbolic links and on network file systems.  Used by main. */
#ifndef MAIN_CRLWATCH_H
#define MAIN_CRLWATCH_H

#include "main/ctx.h"

MUST_USE enum err crl_watch_new(struct main_ctx *m, struct crl_watch **out);

/* Auth is about to read the files of CONF: what they look like now is what it knows. */
void crl_watch_begin(struct crl_watch *cw, const struct conf *conf);

/* It has read them.  Not OK: it serves on with CONF and its lists from before; the files that it
 * refused are read again when they change or at the next maintenance. */
void crl_watch_done(struct crl_watch *cw, const struct conf *conf, bool ok);

/* Maintenance: a changed list is read at once. */
void crl_watch_now(struct crl_watch *cw);

#endif /* MAIN_CRLWATCH_H */
