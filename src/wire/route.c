/* route.c - the route syntax. */
#include "wire/route.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum err route_parse(const char *text, struct route *out)
{
	struct route route = { 0 };
	enum err err;

	if (strcmp(text, "default") == 0) {
		route.is_default = true;
	} else {
		err = addr_net_parse(text, &route.net);
		if (err)
			return err;
	}
	*out = route;
	return ERR_OK;
}

char *route_print(const struct route *route, char text[ADDR_NET_TEXT])
{
	if (!route->is_default)
		return addr_net_print_mask(&route->net, text);
	snprintf(text, ADDR_NET_TEXT, "default");
	return text;
}

char *route_print_cidr(const struct route *route, char text[ADDR_NET_TEXT])
{
	static const struct addr_net all = { .addr.family = AF_INET };

	return addr_net_print(route->is_default ? &all : &route->net, text);
}

bool route_is_default(const struct route *route)
{
	static const struct addr zero = { .family = AF_INET };

	/* config.md 13.2: 0.0.0.0/0 is more useful as the default route it means */
	return route->is_default || (route->net.prefix == 0 && addr_equal(&route->net.addr, &zero));
}
