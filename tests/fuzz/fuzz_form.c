/* fuzz_form.c - urlencoded bodies: decoding never lengthens, and reaches only our memory. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "wire/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *body = (const char *)data;
	char *out = malloc(size + 1);
	struct form *form;
	size_t total = 0;

	if (form_parse(NULL, body, size, &form) == ERR_OK) {
		for (size_t i = 0; i < form->n; i++)
			total += strlen(form->field[i].name) + strlen(form->field[i].value);
		if (total > size || form->n > FORM_FIELDS)
			abort();
		(void)form_get(form, "password");
		talloc_free(form);
	}
	if (percent_decode(body, size, size & 1, out) == ERR_OK && strlen(out) > size)
		abort();
	free(out);
	return 0;
}
