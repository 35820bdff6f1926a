/* reclaim.c - who can spare an address. */
#include "main/reclaim.h"

#include "base/log.h"

/* LEASE stands in the way of WANTED, or could serve a client of POOL. */
static bool is_useful(const struct lease *lease, const struct lease_pool *pool,
		      const struct addr *wanted)
{
	struct addr_net has = { 0 }, needs = { *wanted, pool->unit };

	if (!lease)
		return false;
	has.addr = *lease_addr(lease);
	has.prefix = lease_prefix(lease);
	if (!wanted->family)
		return addr_in_net(&has.addr, &pool->net);
	return addr_in_net(wanted, &has) || addr_in_net(&has.addr, &needs);
}

/* No tunnel, nor one on its way. */
static bool is_away(const struct session *s)
{
	return s->state == SESSION_IDLE && !s->worker && !s->pending;
}

bool reclaim_address(const struct session *for_whom, const struct lease_pool *pool,
		     const struct addr *wanted)
{
	struct session *found = NULL;
	struct lease **lease;

	for (struct session *s = sessions_first(for_whom->m); s; s = s->next) {
		bool useful = is_useful(s->v4, pool, wanted) || is_useful(s->v6, pool, wanted);

		if (s != for_whom && useful && is_away(s) &&
		    (!found || s->connected_at < found->connected_at))
			found = s;
	}
	if (!found)
		return false;
	lease = is_useful(found->v4, pool, wanted) ? &found->v4 : &found->v6;
	log_info(&found->log, "address-reclaimed", kv_addr("address", lease_addr(*lease)),
		 kv_str("for", for_whom->user));
	TALLOC_FREE(*lease);
	session_save(found);
	return true;
}
