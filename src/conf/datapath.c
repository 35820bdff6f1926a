/* datapath.c - the type of debug-datapath: techniques of the data path that are left out. */
#include <string.h>

#include "conf/types.h"

static const struct {
	const char *name;
	uint32_t bit;
} techniques[] = {
	{ "tun-offload", CONF_DATAPATH_TUN_OFFLOAD },
	{ "uso", CONF_DATAPATH_USO },
	{ "udp-gso", CONF_DATAPATH_UDP_GSO },
	{ "udp-gro", CONF_DATAPATH_UDP_GRO },
	{ "batch", CONF_DATAPATH_BATCH },
	{ "sealing", CONF_DATAPATH_SEALING },
};

enum { TECHNIQUES = sizeof techniques / sizeof techniques[0] };

static uint32_t technique(const char *name, size_t len)
{
	for (size_t i = 0; i < TECHNIQUES; i++)
		if (strlen(techniques[i].name) == len && !strncmp(techniques[i].name, name, len))
			return techniques[i].bit;
	return 0;
}

static bool parse_datapath(struct conf_set *s, const char *text, void *out)
{
	uint32_t off = 0, bit;

	for (text += strspn(text, ", \t"); *text; text += strspn(text, ", \t")) {
		size_t len = strcspn(text, ", \t");

		bit = technique(text, len);
		if (!bit) {
			conf_set_error(s,
				       "unknown technique '%.*s'; use tun-offload, uso, udp-gso, "
				       "udp-gro, batch or sealing, separated by commas",
				       (int)len, text);
			return false;
		}
		off |= bit;
		text += len;
	}
	*(uint32_t *)out = off;
	return true;
}

static void print_datapath(const void *value, struct buf *out)
{
	const char *comma = "";

	for (size_t i = 0; i < TECHNIQUES; i++) {
		if (!(*(const uint32_t *)value & techniques[i].bit))
			continue;
		buf_printf(out, "%s%s", comma, techniques[i].name);
		comma = ",";
	}
}

const struct conf_type conf_type_datapath = { "techniques", sizeof(uint32_t), 0, parse_datapath,
					      print_datapath };
