/* login.h - the login dialogue: what the client says goes to auth, what auth answers becomes a
 * document (protocol.md 4).  Used inside worker/http. */
#ifndef WORKER_HTTP_LOGIN_H
#define WORKER_HTTP_LOGIN_H

#include "worker/http/exchange.h"

/* Answers a GET or POST on a login path; GROUP_URL is the group its URL names, or "". */
MUST_USE enum err login_handle(struct exchange *x, const char *group_url);

#endif /* WORKER_HTTP_LOGIN_H */
