/* convert.c - addresses and counters in messages. */
#include "ipc/convert.h"

#include <string.h>

ProtobufCBinaryData ipc_addr(const struct addr *a)
{
	/* protobuf-c has no const bytes; nobody writes through a message that is being sent. */
	return (ProtobufCBinaryData){ .len = addr_len(a), .data = (uint8_t *)(uintptr_t)a->bytes };
}

Endpoint ipc_endpoint(const struct endpoint *ep)
{
	Endpoint msg = ENDPOINT__INIT;

	msg.addr = ipc_addr(&ep->addr);
	msg.port = ep->port;
	return msg;
}

struct addr ipc_addr_read(const ProtobufCBinaryData *bytes)
{
	struct addr a = { 0 };

	if (bytes->len == 4)
		a.family = AF_INET;
	else if (bytes->len == 16)
		a.family = AF_INET6;
	else
		return a;
	memcpy(a.bytes, bytes->data, bytes->len);
	return a;
}

struct endpoint ipc_endpoint_read(const Endpoint *msg)
{
	struct endpoint ep = { 0 };

	if (!msg || msg->port > UINT16_MAX)
		return ep;
	ep.addr = ipc_addr_read(&msg->addr);
	ep.port = (uint16_t)msg->port;
	return ep;
}

Counters ipc_counters(const Counters *msg)
{
	Counters c = COUNTERS__INIT;

	c.rx_bytes = msg->rx_bytes;
	c.tx_bytes = msg->tx_bytes;
	c.rx_packets = msg->rx_packets;
	c.tx_packets = msg->tx_packets;
	c.bad_source = msg->bad_source;
	c.dropped = msg->dropped;
	return c;
}
