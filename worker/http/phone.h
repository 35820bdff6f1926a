/* phone.h - the login of Cisco's IP phones (protocol.md 4.22).  Used inside worker/http. */
#ifndef WORKER_HTTP_PHONE_H
#define WORKER_HTTP_PHONE_H

#include "worker/http/exchange.h"

/* Answers a GET or POST on /svc; 404 on a host without cisco-svc-client-compat. */
MUST_USE enum err phone_handle(struct exchange *x);

#endif /* WORKER_HTTP_PHONE_H */
