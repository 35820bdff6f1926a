/* field.c - setting and copying the fields of any type. */
#include <string.h>

#include "conf/types.h"

enum { ITEM_MAX = 64 }; /* bytes of the largest list element */

_Static_assert(sizeof(struct conf_route) <= ITEM_MAX, "element of routes");
_Static_assert(sizeof(struct conf_auth) <= ITEM_MAX, "element of auth");

/* Every list type is {item, n}, so that one piece of code can grow them all. */
static struct conf_any_list load_list(const void *field)
{
	struct conf_any_list list;

	memcpy(&list, field, sizeof(list));
	return list;
}

static enum err grow(TALLOC_CTX *ctx, size_t item, const void *more, size_t n, void *field)
{
	struct conf_any_list list = load_list(field);
	uint8_t *mem = talloc_realloc_size(ctx, list.item, (list.n + n) * item);

	if (!mem)
		return ERR_NOMEM;
	memcpy(mem + list.n * item, more, n * item);
	list.item = mem;
	list.n += n;
	memcpy(field, &list, sizeof(list));
	return ERR_OK;
}

/* The ports type parses one line into several elements, hence into a list of its own. */
static bool set_ports(struct conf_set *s, const char *text, void *field)
{
	struct conf_ports ports = { 0 };

	if (!conf_type_ports.parse(s, text, &ports))
		return false;
	return !ports.n || !grow(s->ctx, sizeof(*ports.item), ports.item, ports.n, field);
}

bool conf_set_field(struct conf_set *s, const char *text, void *field)
{
	const struct conf_type *type = s->opt->type;
	_Alignas(max_align_t) uint8_t item[ITEM_MAX] = { 0 };

	if (s->opt->limits.check && !s->opt->limits.check(s, text))
		return false;
	if (type == &conf_type_ports)
		return set_ports(s, text, field);
	if (!type->item)
		return type->parse(s, text, field);
	return type->parse(s, text, item) && !grow(s->ctx, type->item, item, 1, field);
}

enum err conf_append_field(TALLOC_CTX *ctx, const struct conf_type *type, const void *from,
			   void *to)
{
	struct conf_any_list list = load_list(from);

	return list.n ? grow(ctx, type->item, list.item, list.n, to) : ERR_OK;
}

enum err conf_copy_field(TALLOC_CTX *ctx, const struct conf_type *type, const void *from, void *to)
{
	if (!type->item) {
		memcpy(to, from, type->size);
		return ERR_OK;
	}
	memset(to, 0, type->size);
	return conf_append_field(ctx, type, from, to);
}
