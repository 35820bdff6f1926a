"""systemd as the first process of a machine of the test's own: the files are the real machine's, copied on write; processes,
network, control groups and /run are its own.  Nothing it does is seen outside but what it writes below /out."""
import os
import shutil
import subprocess

# In mounts of its own: a control group for systemd, which becomes the root of those it sees.
OUTER = """set -e
mount --make-rprivate /
groups=$0/groups
mount -t cgroup2 none "$groups"
mkdir "$groups/$1"
echo $$ > "$groups/$1/cgroup.procs"
unshare --mount --cgroup --pid --fork --uts --ipc --net bash "$0/inner" "${@:2}" || status=$?
echo $$ > "$groups/cgroup.procs"
for try in 1 2 3 4 5 6 7 8 9; do
	find "$groups/$1" -depth -type d -exec rmdir {} \\; 2>/dev/null || :
	[ -d "$groups/$1" ] || break
	sleep 0.1
done
exit ${status:-0}
"""
INNER = """set -e
dir=${0%/*} root=${0%/*}/root
mount -t tmpfs files "$dir/files"
mkdir "$dir/files/up" "$dir/files/work"
mount -t overlay -o "lowerdir=/,upperdir=$dir/files/up,workdir=$dir/files/work" none "$root"
for path; do
	mkdir -p "$root$path"
	mount --rbind "$path" "$root$path"
done
mount -t proc proc "$root/proc"
mount -t sysfs sys "$root/sys"
mount -t cgroup2 none "$root/sys/fs/cgroup"
mount -t tmpfs run "$root/run"
mount -t tmpfs dev "$root/dev"
mkdir -p "$root/dev/net" "$root/dev/pts" "$root/dev/shm" "$root/run/netns" "$root/run/systemd" "$root/out"
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty "$root/dev/"
mknod "$root/dev/net/tun" c 10 200
: > "$root/dev/console"
mount --bind "$dir/out/console" "$root/dev/console"
mount --bind "$dir/out" "$root/out"
rm -rf "$root/etc/systemd/system"
cp -r "$dir/units" "$root/etc/systemd/system"
echo 0123456789abcdef0123456789abcdef > "$root/etc/machine-id"
cd "$root"
mount --move . /
export container=other
exec chroot . /lib/systemd/systemd --system --unit=test.target --show-status=no < /dev/null > /dev/null 2>&1
"""
TARGET = """[Unit]
Description=What the test wants
Requires=script.service
AllowIsolate=yes
DefaultDependencies=no
"""
SCRIPT = """[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
RemainAfterExit=yes
StandardOutput=file:/out/script.log
StandardError=inherit
ExecStart=/bin/bash -x /out/script
ExecStopPost=/bin/systemctl exit 0
TimeoutStartSec=%d
"""


def boot(test, units, script, folders, seconds=60):
    """Boots with UNITS (name: text; "NAME.d/x.conf" for additions) and the real FOLDERS, which may lie on other file systems;
    runs SCRIPT in there, waits for the end; gives the folder that was /out."""
    folder = test.new_dir("machine")
    for name in ("root", "files", "groups", "out", "units"):
        os.mkdir(os.path.join(folder, name))
    files = {"units/" + name: text for name, text in units.items()}
    files.update({"inner": INNER, "outer": OUTER, "out/script": script + "\nsystemctl exit 0\n", "out/console": "",
                  "units/test.target": TARGET, "units/script.service": SCRIPT % seconds})
    for name, text in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as out:
            out.write(text)
    os.chmod(folder + "/out", 0o777)
    run = subprocess.run(["unshare", "--mount", "bash", "-c", OUTER, folder, test.prefix, *folders],
                         stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds + 30)
    for name in ("script.log", "console"):
        path = folder + "/out/" + name
        if os.path.exists(path):
            with open(path, errors="replace") as text:
                test.notes.append("---- %s of the machine\n%s" % (name, text.read()[-6000:]))
    test.notes.append(run.stdout)
    shutil.rmtree(folder + "/root", ignore_errors=True)
    return folder + "/out"
