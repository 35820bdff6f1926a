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
#include "ipc/token.pb-c.h"
#include "ipc/worker.pb-c.h"
#include "ipc/zygote.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void drop_unknown(ProtobufCMessage *msg);

/* The messages below MSG in FIELD, one or many, or none that is set. */
static void drop_in_field(ProtobufCMessage *msg, const ProtobufCFieldDescriptor *field)
{
	uint8_t *at = (uint8_t *)msg + field->offset;
	const int *count = (const int *)(void *)((uint8_t *)msg + field->quantifier_offset);
	const size_t *many = (const size_t *)(const void *)count;
	ProtobufCMessage **list = *(ProtobufCMessage ***)(void *)at;

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		for (size_t i = 0; i < *many; i++)
			drop_unknown(list[i]);
		return;
	}
	if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) && *count != (int)field->id)
		return;
	drop_unknown(*(ProtobufCMessage **)(void *)at);
}

/* The library unpacks an unknown field numbered 0 when its tag is written longer than need be,
 * packs it short, and then refuses it; nobody reads unknown fields, so they are left out of the
 * round trip. */
static void drop_unknown(ProtobufCMessage *msg)
{
	if (!msg)
		return;
	msg->n_unknown_fields = 0;
	for (unsigned i = 0; i < msg->descriptor->n_fields; i++)
		if (msg->descriptor->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
			drop_in_field(msg, &msg->descriptor->fields[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const ProtobufCMessageDescriptor *const tops[] = {
		&to_main__descriptor,	  &to_worker__descriptor, &to_auth__descriptor,
		&to_super__descriptor,	  &to_zygote__descriptor, &worker_conf__descriptor,
		&ctl_request__descriptor, &to_token__descriptor,  &from_token__descriptor,
	};
	TALLOC_CTX *ctx;
	const ProtobufCMessageDescriptor *top;
	ProtobufCMessage *msg, *again;
	uint8_t *packed;
	size_t len;

	if (size == 0)
		return 0;
	ctx = talloc_new(NULL);
	top = tops[data[0] % (sizeof tops / sizeof tops[0])];
	if (ipc_unpack(ctx, top, data + 1, size - 1, &msg) == ERR_OK) {
		(void)ipc_case_name(top, ipc_case(msg));
		drop_unknown(msg);
		len = protobuf_c_message_get_packed_size(msg);
		packed = talloc_size(ctx, len + 1);
		protobuf_c_message_pack(msg, packed);
		if (ipc_unpack(ctx, top, packed, len, &again) != ERR_OK)
			abort();
	}
	talloc_free(ctx);
	return 0;
}
