/* sockopt.c - send buffers and priorities of the client's sockets.  Used by the data path. */
#include "worker/path/sockopt.h"

#include <limits.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { UDP_BUFFER_MAX = 2048 }; /* bytes; config.md 8.11 */

/* Larger values than net.core.wmem_max are cut down to it by the kernel. */
static void set_buffer(int fd, bool udp, const struct path_limits *l)
{
	uint64_t bytes = (uint64_t)l->output_buffer * l->link_mtu;
	int most = udp ? UDP_BUFFER_MAX : INT_MAX;
	int size = bytes < (uint64_t)most ? (int)bytes : most;
	if (size)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

/* Of the two families the socket's own takes it, the other refuses.  The kernel chooses the queue
 * of the device by the byte, too. */
static void set_tos(int fd, int tos)
{
	(void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
}

void sockopt_apply(int fd, bool udp, const struct path_limits *limits)
{
	int value = limits->priority;
	set_buffer(fd, udp, limits);
	if (limits->priority_kind == PATH_PRIORITY_TOS)
		set_tos(fd, value);
	else if (limits->priority_kind == PATH_PRIORITY_SOCKET)
		(void)setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &value, sizeof value);
}
