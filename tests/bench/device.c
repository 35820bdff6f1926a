/* device.c - a TUN with offloads, set up with the ip command.  Used by vpnload. */
#include "tests/bench/device.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wire/vnet.h"

static enum err set_offloads(int fd, struct device *d)
{
	const int header = sizeof(struct virtio_net_hdr);
	const unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	if (ioctl(fd, TUNSETVNETHDRSZ, &header))
		return ERR_SYS;
	/* Kernels before 6.2 refuse a set with what they do not know. */
	d->uso = ioctl(fd, TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6) == 0;
	if (!d->uso && ioctl(fd, TUNSETOFFLOAD, tcp))
		return ERR_SYS;
	return ERR_OK;
}

enum err device_open(const char *name, struct device *out, int *fd)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	struct device d = { .uso = false };
	(void)snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
	int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tun < 0)
		return ERR_SYS;
	if (ioctl(tun, TUNSETIFF, &ifr) || set_offloads(tun, &d)) {
		int error = errno;
		close(tun);
		errno = error;
		return ERR_SYS;
	}
	memcpy(d.name, ifr.ifr_name, sizeof d.name);
	*out = d;
	*fd = tun;
	return ERR_OK;
}

/* Runs "ip WORDS"; the words end with NULL. */
static enum err ip(const char *const *words)
{
	pid_t pid;
	int status;
	if (posix_spawnp(&pid, words[0], NULL, NULL, (char *const *)words, environ))
		return ERR_SYS;
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status))
		return ERR_SYS;
	return ERR_OK;
}

#define IP(...) ip((const char *const[]){ "ip", __VA_ARGS__, NULL })

enum err device_configure(const struct device *d, const struct login_grant *grant)
{
	char mtu[16];
	(void)snprintf(mtu, sizeof mtu, "%u", grant->mtu);
	enum err err = IP("link", "set", d->name, "up", "mtu", mtu, "txqueuelen", "1000");
	if (!err)
		err = IP("addr", "add", grant->address, "dev", d->name);
	if (!err && grant->address6[0])
		err = IP("addr", "add", grant->address6, "dev", d->name, "nodad");
	for (size_t i = 0; !err && i < grant->routes.n; i++) {
		if (grant->address6[0] || !strchr(grant->routes.item[i], ':'))
			err = IP("route", "add", grant->routes.item[i], "dev", d->name);
	}
	return err;
}
