#!/bin/bash
# tree.sh TREE RELEASE MIRROR PACKAGE...: a Debian of its own in TREE, for as
# long as the list of packages stays the same. To be called in a mount
# namespace of its own, as scripts/test-systemd does.
set -euo pipefail

tree=$1 release=$2 mirror=$3
shift 3

# What TREE was made of; it is written last.
recipe="$release $mirror $*"
if [ -e "$tree/recipe" ] && [ "$(<"$tree/recipe")" = "$recipe" ]; then
	exit 0
fi

rm -rf "$tree"
mkdir -p "$tree"
debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus \
	"$release" "$tree/root" "$mirror"

# Not debootstrap's --include, which knows only the simplest dependencies.
printf '#!/bin/sh\nexit 101\n' >"$tree/root/usr/sbin/policy-rc.d"
chmod 755 "$tree/root/usr/sbin/policy-rc.d"
DEBIAN_FRONTEND=noninteractive chroot "$tree/root" \
	apt-get -q -y -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
	install --no-install-recommends "$@"
rm "$tree/root/usr/sbin/policy-rc.d"
chroot "$tree/root" apt-get clean

# Nobody is there to answer the questions of a first boot, and nothing from
# outside is to disturb the tests.
: >"$tree/root/etc/machine-id"
printf '127.0.0.1\tlocalhost\n::1\tlocalhost\n' >"$tree/root/etc/hosts"
for unit in systemd-firstboot.service getty.target apt-daily.timer \
	apt-daily-upgrade.timer e2scrub_all.timer; do
	ln -sf /dev/null "$tree/root/etc/systemd/system/$unit"
done
printf '%s\n' "$recipe" >"$tree/recipe"
