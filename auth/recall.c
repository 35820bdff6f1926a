/* recall.c - what the cookies of a client are worth before he is served: a host with camouflage
 * shows itself to those it knows, and profiles are for users. */
#include "auth/open.h"
#include "auth/profile.h"

/* deny-roaming is the host's here: what a user's files say of it decides about his tunnel. */
static const struct session *find(const struct worker *w, const struct host *host,
				  const Recall *msg)
{
	const struct session *s = session_find(w, msg->vhost, &msg->cookie);

	if (s && host->conf->deny_roaming && !addr_equal(&s->remote, &w->remote.addr))
		return NULL;
	return s;
}

void session_recall(struct worker *w, const Recall *msg)
{
	const struct login_peer peer = { w->id, w->remote, w->local };
	const struct host *host = hosts_find(w->auth->hosts, msg->vhost);
	const struct session *s = host ? find(w, host, msg) : NULL;
	TALLOC_CTX *tmp = talloc_new(NULL);
	Recalled result = RECALLED__INIT;
	Profile profile = PROFILE__INIT;

	result.ticket = s != NULL;
	result.context = logins_know(w->auth->logins, &peer, msg->vhost, &msg->context);
	if (s && msg->profile) {
		profile_of(tmp, host, s, &profile);
		result.profile = &profile;
	}
	if (!s && msg->attempt)
		session_bad_cookie(w, msg->vhost);
	worker_tell(w, TO_WORKER__MSG_RECALLED, &result);
	talloc_free(tmp);
}
