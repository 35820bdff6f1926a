/* sockopt.h - what the administrator wants of the client's sockets: how much may wait in them, and
 * how the network shall treat their packets.  Used by the data path.  config.md 8.11. */
#ifndef WORKER_PATH_SOCKOPT_H
#define WORKER_PATH_SOCKOPT_H

#include <stdbool.h>

#include "worker/path/path.h"

/* Applies output-buffer and net-priority to FD, the client's TCP socket or one of its UDP sockets.
 * What the kernel refuses stays as it is. */
void sockopt_apply(int fd, bool udp, const struct path_limits *limits);

#endif /* WORKER_PATH_SOCKOPT_H */
