/* vnet.h - the header that packets of a TUN with offloads carry, with what the headers of Debian 12
 * lack of it.  Used by the data path. */
#ifndef WORKER_PATH_VNET_H
#define WORKER_PATH_VNET_H

#include <linux/virtio_net.h>

/* Linux 6.2; the value is the kernel's ABI. */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#endif /* WORKER_PATH_VNET_H */
