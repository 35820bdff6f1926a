/* connect.h - opening a session's tunnel: limits, takeover, addresses, device, hook.
 * And its end, from whatever side it comes.  Used by main. */
#ifndef MAIN_CONNECT_H
#define MAIN_CONNECT_H

#include "main/sessions.h"
#include "main/workers.h"

/* Auth says that W may open MSG's session.  W gets its Tunnel or a refusal, at once or later. */
void connect_open(struct worker *w, const SessionOpen *msg);

/* The client has its answer: logs, host-update script, events. */
void connect_up(struct session *s);

/* The connection of S's tunnel is gone; W says how it ended.  The session goes on in SESSION_ENDING
 * until its hook has run, then idles, opens for a newer connection, or is forgotten. */
void connect_down(struct session *s, struct worker *w);

/* The ticket of S died: forgets it, now or once its tunnel has ended. */
void connect_expired(struct session *s);

#endif /* MAIN_CONNECT_H */
