/* route.c - sender and state check, then the handler. */
#include "ipc/route.h"

static const struct route *find(const struct route_table *table, uint32_t msg_case)
{
	for (size_t i = 0; i < table->n; i++)
		if (table->row[i].msg_case == msg_case)
			return &table->row[i];
	return NULL;
}

enum err route_dispatch(const struct route_table *table, void *proc, void *peer, uint32_t sender,
			uint32_t state, const ProtobufCMessage *top, struct ipc_fds *fds)
{
	const struct route *r = find(table, ipc_case(top));
	enum err err;

	if (!r || !(r->senders & sender) || !(r->states & state) || fds->n > r->max_fds)
		err = ERR_DENIED;
	else
		err = r->call(proc, peer, top, fds);
	ipc_fds_close(fds);
	return err;
}
