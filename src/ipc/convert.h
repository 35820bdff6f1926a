/* convert.h - addresses between their messages (types.proto) and base/addr.h, and counters to be
 * kept longer than their message.  All processes. */
#ifndef IPC_CONVERT_H
#define IPC_CONVERT_H

#include "base/addr.h"
#include "ipc/types.pb-c.h"

/* A message borrowing the bytes of A or EP. */
ProtobufCBinaryData ipc_addr(const struct addr *a);
Endpoint ipc_endpoint(const struct endpoint *ep);

/* The way back.  Bytes of another length than 4 or 16, a NULL message, or a port above 65535 give
 * "none": family 0. */
struct addr ipc_addr_read(const ProtobufCBinaryData *bytes);
struct endpoint ipc_endpoint_read(const Endpoint *msg);

/* The numbers of MSG alone.  A copy of the whole would share with it what its sender has put in
 * besides (unknown fields), and send that on when the message has long gone. */
Counters ipc_counters(const Counters *msg);

#endif /* IPC_CONVERT_H */
