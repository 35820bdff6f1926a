/* tunnel.h - what the two halves of a tunnel's life, connect.c and disconnect.c, ask of each other.
 */
#ifndef MAIN_TUNNEL_H
#define MAIN_TUNNEL_H

#include "main/sessions.h"

/* The session has no tunnel now; its pending request gets one or is refused. */
void connect_begin(struct session *s);

/* The worker that waits has ended, or a yet newer one asks. */
void connect_drop_pending(struct session *s);

/* Refuses a worker that waits, with 503. */
void connect_refuse_pending(struct session *s);

/* Asks auth to account for the tunnel that is being opened; connect_accounted is the answer. */
void connect_ask_account(struct session *s);

/* Tells auth that the tunnel is there. */
void connect_tell_opened(struct session *s);

/* The connection ended while the connect script ran; now that is over, too. */
void connect_down_finish(struct session *s);

/* Gives the device up; it vanishes beside the loop. */
void connect_drop_device(struct session *s);

/* No tunnel any more: the session waits for its client, opens for a newer connection, or goes. */
void connect_idle(struct session *s);

#endif /* MAIN_TUNNEL_H */
