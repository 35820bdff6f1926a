/* profile.h - the XML profiles that Cisco clients are offered (user-profile).  Auth reads them,
 * because workers can open nothing: the hosts' go to every worker, a user's own when it is wanted.
 * Used by auth. */
#ifndef AUTH_PROFILE_H
#define AUTH_PROFILE_H

#include "auth/hosts.h"
#include "auth/store/store.h"
#include "ipc/worker.pb-c.h"

enum { PROFILE_MAX = 64 * 1024 };

/* Puts the profile of the host that OUT is for into the area of H; of two hosts that name the same
 * file the second shares the bytes of the first.  ERR_CONF: REPORT has a line more. */
MUST_USE enum err profile_load(struct hosts *h, const struct host_conf *conf,
			       struct keys_report *report, struct trust_span *out);

/* What S's user is offered: his group's or his own where their files name one, else the host's.  A
 * file that cannot be read is logged and counts as none.  OUT's data is a child of CTX. */
void profile_of(TALLOC_CTX *ctx, const struct host *host, const struct session *s, Profile *out);

#endif /* AUTH_PROFILE_H */
