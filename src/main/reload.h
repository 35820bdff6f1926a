/* reload.h - configurations on their way: to auth, back with certificates, to the zygote.
 * Used by main only. */
#ifndef MAIN_RELOAD_H
#define MAIN_RELOAD_H

#include "ipc/main.pb-c.h"
#include "main/ctx.h"

MUST_USE enum err reload_new(struct main_ctx *m, struct reload **out);

/* Reads the configuration file again and applies it to new sessions.  Findings go to the log; the
 * result comes later, and until then the running configuration stays. */
void main_reload(struct main_ctx *m);

/* The same for occtl, whose request REQ is answered when it is over. */
void reload_ask(struct main_ctx *m, uint64_t req);

/* A zygote is ready: perhaps that was what a reload waited for. */
void reload_on_zygote(struct main_ctx *m);

/* Does what main_reload had to put off: another one was on its way, or the start was not over. */
void reload_if_asked(struct main_ctx *m);

/* The configuration the process runs from the start on: the file, or what FD (taken, -1: none) has
 * from an earlier instance.  False: everything was said. */
bool reload_first(struct main_ctx *m, int fd);

/* Hands the running configuration's ban options to the ban table. */
void reload_bans(struct main_ctx *m);

/* Hands auth the configuration it should have: the one on its way, or the running one. */
void reload_send_auth(struct main_ctx *m);

/* Auth has loaded or refused it.  AREA (taken, -1: none) holds what the spans in MSG name. */
void reload_on_result(struct main_ctx *m, const ConfResult *msg, int area);

/* Has auth read the files again that the running configuration names, for new sessions: one of them
 * has changed.  The configuration file itself is not read. */
void reload_files(struct main_ctx *m);

/* The server's keys, borrowed until the next message of auth; NULL: not known yet. */
const ServerKeys *reload_keys(const struct main_ctx *m);

#endif /* MAIN_RELOAD_H */
