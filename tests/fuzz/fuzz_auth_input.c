/* fuzz_auth_input.c - login bodies, XML and forms; what they say must fit into our own documents.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>
#include <talloc.h>

#include "wire/auth_input.h"
#include "wire/auth_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Texts from XML are UTF-8, so a document that repeats them must be well-formed. */
static void check_document(const struct buf *b)
{
	XML_Parser p = XML_ParserCreate(NULL);

	if (XML_Parse(p, b->data, (int)b->len, XML_TRUE) != XML_STATUS_OK)
		abort();
	XML_ParserFree(p);
}

static void repeat(TALLOC_CTX *ctx, const struct auth_input *in, bool xml)
{
	struct auth_field field = { AUTH_FIELD_HIDDEN, "h", in->username, in->group };
	struct auth_group group = { in->group ? in->group : "g", in->username };
	struct auth_form form = {
		.id = "main",
		.message = in->username,
		.error = in->group,
		.action = in->group_access,
		.fields = &field,
		.n_fields = 1,
		.groups = &group,
		.n_groups = 1,
		.selected = in->group,
	};
	struct buf b;

	buf_init(&b, ctx, 4 << 20);
	auth_form_build(&b, &form, false);
	if (xml && !b.failed)
		check_document(&b);
}

static bool is_xml(const char *body, size_t size)
{
	size_t blank = 0;

	while (blank < size && strchr(" \t\r\n", body[blank]))
		blank++;
	return blank < size && body[blank] == '<';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	const char *body = (const char *)data;
	struct auth_input *in;

	if (auth_input_parse(ctx, body, size, &in) == ERR_OK) {
		for (size_t i = 0; i < in->n_answers; i++)
			if (auth_input_answer(in, in->answer[i].name) != in->answer[i].value)
				abort();
		repeat(ctx, in, is_xml(body, size));
	}
	talloc_free(ctx);
	return 0;
}
