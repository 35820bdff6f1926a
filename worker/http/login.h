/* login.h - the login dialogue: what the client says goes to auth, what auth answers becomes a
 * document (protocol.md 4).  Used inside worker/http. */
#ifndef WORKER_HTTP_LOGIN_H
#define WORKER_HTTP_LOGIN_H

#include "worker/http/exchange.h"

/* Answers a GET or POST on a login path; GROUP_URL is the group its URL names, or "". */
MUST_USE enum err login_handle(struct exchange *x, const char *group_url);

/* Has auth answer INPUT as the next step of the connection's login; GROUP as above.  *OUT is a
 * child of the exchange. */
MUST_USE enum err login_ask(struct exchange *x, const char *group, const struct auth_input *input,
			    struct login_answer **out);

#endif /* WORKER_HTTP_LOGIN_H */
