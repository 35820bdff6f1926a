/* json.c - helpers around jansson. */
#include "ctl/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* jansson refuses text that is no UTF-8; then every byte above ASCII becomes a '?'. */
static json_t *make_string(const char *text)
{
	json_t *s = json_string(text);
	char *copy;

	if (s)
		return s;
	copy = strdup(text);
	if (!copy)
		return NULL;
	for (char *p = copy; *p; p++)
		if (*p & 0x80)
			*p = '?';
	s = json_string(copy);
	free(copy);
	return s;
}

void js_text(json_t *object, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(object, key, make_string(text));
}

void js_int(json_t *object, const char *key, int64_t n)
{
	json_object_set_new(object, key, json_integer(n));
}

void js_int_text(json_t *object, const char *key, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, n);
	js_text(object, key, text);
}

void js_list(json_t *object, const char *key, char *const *item, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, make_string(item[i]));
	json_object_set_new(object, key, list);
}

void js_print(FILE *out, json_t *root)
{
	if (json_is_array(root) && json_array_size(root) == 0)
		fputs("[\n]", out);
	else
		json_dumpf(root, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(root);
}
