/* json.c - helpers around jansson. */
#include "ctl/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/text.h"

/* jansson refuses text that is no UTF-8; then each byte of it that is none becomes a '?'. */
static json_t *make_string(const char *text)
{
	json_t *s = json_string(text);
	char *copy, *start;
	const char *p;

	if (s)
		return s;
	copy = strdup(text);
	if (!copy)
		return NULL;
	for (p = start = copy; *p; start = copy + (p - copy))
		if (text_next(&p) & TEXT_INVALID)
			*start = '?';
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

/* C as JSON writes it; characters beyond 16 bits are two of the surrogates (RFC 8259 7). */
static void put_escape(FILE *out, uint32_t c)
{
	if (c > 0xffff)
		fprintf(out, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (c >> 10)),
			(unsigned)(0xdc00 + (c & 0x3ff)));
	else
		fprintf(out, "\\u%04x", (unsigned)c);
}

/* jansson escapes the control characters of ASCII but DEL.  The others that steer a terminal can
 * stand only inside strings, so they may be replaced in its output. */
static void put_escaped(FILE *out, const char *json)
{
	while (*json) {
		const char *start = json;
		uint32_t c = text_next(&json);

		if (c >= 0x7f && text_is_steering(c))
			put_escape(out, c);
		else
			fwrite(start, 1, (size_t)(json - start), out);
	}
}

static void dump(FILE *out, json_t *value)
{
	char *text = json_dumps(value, JSON_INDENT(2));

	if (text)
		put_escaped(out, text);
	free(text);
	json_decref(value);
}

void js_print(FILE *out, json_t *root)
{
	dump(out, root);
	fputc('\n', out);
}

void js_array_add(struct js_array *a, json_t *element)
{
	fputs(a->n++ ? ",\n\n" : "[\n", a->out);
	dump(a->out, element);
}

void js_array_end(struct js_array *a)
{
	fputs(a->n ? "\n]\n" : "[\n]\n", a->out);
}
