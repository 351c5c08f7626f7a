#!/bin/bash
# build.sh TREE SOURCE BUILD: builds SOURCE with the tools of the Debian in
# TREE; objects stay in BUILD from one run to the next. To be called in a mount
# namespace of its own. SOURCE has its configure.
set -euo pipefail

root=$1/root source=$2 build=$3

mkdir -p "$build" "$root/src" "$root/build"
mount --bind -o ro "$source" "$root/src"
mount --bind "$build" "$root/build"
mount -t proc proc "$root/proc"
# shellcheck disable=SC2016 # for the shell in there
chroot "$root" /bin/sh -ec '
	cd /build
	[ -e config.status ] || /src/configure --quiet --enable-werror \
		--prefix=/usr --sysconfdir=/etc
	make --no-print-directory -j "$(nproc)"'
