/* route.h - who may send which message, and when, is data.  Used by every receiver.
 *
 *	#define MAIN_ROUTES(R) \
 *		R(ToMain, tun_mtu, TO_MAIN__MSG_TUN_MTU, FROM_WORKER, ST_OPEN, 0, on_tun_mtu)
 *	ROUTES_DEFINE(main_routes, MAIN_ROUTES)
 *
 * Columns: top message, field of its oneof, case, allowed senders (bits), allowed states of the
 * sender (bits), most descriptors, handler.  The handler's third parameter is the field's own
 * message type, so a handler for the wrong message does not compile. */
#ifndef IPC_ROUTE_H
#define IPC_ROUTE_H

#include "base/err.h"
#include "ipc/msg.h"

struct route {
	uint32_t msg_case;
	uint32_t senders, states;
	unsigned max_fds;
	enum err (*call)(void *proc, void *peer, const ProtobufCMessage *top, struct ipc_fds *fds);
};

struct route_table {
	const struct route *row;
	size_t n;
};

#define ROUTE_THUNK(Top, field, msg_case, senders, states, fds_max, handler)                       \
	static enum err route_##field(void *proc, void *peer, const ProtobufCMessage *top,         \
				      struct ipc_fds *fds)                                         \
	{                                                                                          \
		return handler(proc, peer, ((const Top *)(const void *)top)->field, fds);          \
	}
#define ROUTE_ROW(Top, field, msg_case, senders, states, fds_max, handler)                         \
	{ msg_case, senders, states, fds_max, route_##field },

#define ROUTES_DEFINE(name, LIST)                                                                  \
	LIST(ROUTE_THUNK)                                                                          \
	static const struct route name##_rows[] = { LIST(ROUTE_ROW) };                             \
	static const struct route_table name = { name##_rows,                                      \
						 sizeof name##_rows / sizeof name##_rows[0] };

/* Checks sender, state and descriptor count, then calls the handler.  ERR_DENIED when no row
 * permits the message: the caller ends the sender, never itself.  PEER is what the handler gets as
 * its second argument.  Closes descriptors that were not taken. */
MUST_USE enum err route_dispatch(const struct route_table *table, void *proc, void *peer,
				 uint32_t sender, uint32_t state, const ProtobufCMessage *top,
				 struct ipc_fds *fds);

#endif /* IPC_ROUTE_H */
