/* vnet.h - what packets of a TUN with offloads carry before them, and how main asks the kernel for
 * that, with what the headers of Debian 12 lack of it.  Used by main, the data path and tests. */
#ifndef WIRE_VNET_H
#define WIRE_VNET_H

#include <linux/if_tun.h>
#include <linux/virtio_net.h>

/* Linux 6.2; the values are the kernel's ABI. */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#endif /* WIRE_VNET_H */
