/* fuzz_ipc.c - what a hostile peer can put into a channel: the first byte chooses the receiver,
 * the rest is the message.  Everything that unpacks must pack again to something that unpacks. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <talloc.h>

#include "ipc/auth.pb-c.h"
#include "ipc/ctl.pb-c.h"
#include "ipc/main.pb-c.h"
#include "ipc/msg.h"
#include "ipc/super.pb-c.h"
#include "ipc/worker.pb-c.h"
#include "ipc/zygote.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const ProtobufCMessageDescriptor *const tops[] = {
		&to_main__descriptor,	  &to_worker__descriptor, &to_auth__descriptor,
		&to_super__descriptor,	  &to_zygote__descriptor, &worker_conf__descriptor,
		&ctl_request__descriptor,
	};
	TALLOC_CTX *ctx = talloc_new(NULL);
	const ProtobufCMessageDescriptor *top;
	ProtobufCMessage *msg, *again;
	uint8_t *packed;
	size_t len;

	if (size == 0)
		return 0;
	top = tops[data[0] % (sizeof tops / sizeof tops[0])];
	if (ipc_unpack(ctx, top, data + 1, size - 1, &msg) == ERR_OK) {
		(void)ipc_case_name(top, ipc_case(msg));
		len = protobuf_c_message_get_packed_size(msg);
		packed = talloc_size(ctx, len + 1);
		protobuf_c_message_pack(msg, packed);
		if (ipc_unpack(ctx, top, packed, len, &again) != ERR_OK)
			abort();
	}
	talloc_free(ctx);
	return 0;
}
