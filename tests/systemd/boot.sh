#!/bin/bash
# boot.sh TREE BUILD WHERE SOURCE RESULTS CGROUP: installs what is built in BUILD
# on top of the Debian in TREE, which stays as it is, boots it, and passes the
# tests there. WHERE it was built: here, or with the tools in TREE.
#
# Ends with the exit status of the tests; RESULTS gets their output in
# "tests.log", and "stage", which names the last stage that was reached: mount,
# install, boot, tests.
#
# To be called in mount and PID namespaces of its own, as scripts/test-systemd
# does: they undo everything that is done here, however it ends.
set -euo pipefail

tree=$1 build=$2 where=$3 source=$4 results=$5 cgroup=$6
scratch=$results.scratch

echo mount >"$results/stage"
mkdir -p "$scratch"
mount -t tmpfs tmpfs "$scratch"
mkdir "$scratch/upper" "$scratch/work" "$scratch/root"
mount -t overlay overlay "$scratch/root" -o \
	"lowerdir=$tree/root,upperdir=$scratch/upper,workdir=$scratch/work"

echo install >"$results/stage"
# As a package is built, and from where; "directories" tells the tests.
if [ "$where" = here ]; then
	make -C "$build" --no-print-directory -s install \
		DESTDIR="$scratch/root"
	make -C "$build" --no-print-directory -s directories \
		>"$results/directories"
else
	mkdir -p "$scratch/root/src" "$scratch/root/build"
	mount --bind -o ro "$source" "$scratch/root/src"
	mount --bind "$build" "$scratch/root/build"
	chroot "$scratch/root" make -C /build --no-print-directory -s install
	chroot "$scratch/root" make -C /build --no-print-directory -s \
		directories >"$results/directories"
	umount "$scratch/root/src" "$scratch/root/build"
fi

echo boot >"$results/stage"

cat >"$scratch/root/etc/systemd/system/tests.service" <<END
[Unit]
After=multi-user.target
SuccessAction=exit
FailureAction=exit
[Service]
Type=oneshot
TimeoutStartSec=480
EnvironmentFile=/results/directories
Environment=PYTHONDONTWRITEBYTECODE=1
Environment="PYTEST_ADDOPTS=${PYTEST_ADDOPTS:-}"
ExecStartPre=/bin/sh -c 'echo tests >/results/stage'
ExecStart=/usr/bin/python3 -m pytest -p no:cacheprovider /src/tests/systemd
StandardOutput=file:/results/tests.log
StandardError=inherit
[Install]
WantedBy=multi-user.target
END
systemctl --root="$scratch/root" --quiet enable tests.service

# systemd wants the unified hierarchy, and a place of its own in it.
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
	umount -R /sys/fs/cgroup
	mount -t cgroup2 none /sys/fs/cgroup
fi
mkdir -p "/sys/fs/cgroup/$cgroup" /run/systemd/nspawn
echo $$ >"/sys/fs/cgroup/$cgroup/cgroup.procs"
mount -t tmpfs tmpfs /run/systemd/nspawn

# nspawn knows nothing of Landlock, which the workers confine themselves with.
exec systemd-nspawn --quiet --directory="$scratch/root" \
	--machine=sallyport-tests --register=no --keep-unit --private-network \
	--bind-ro="$source:/src" --bind="$results:/results" \
	--system-call-filter="landlock_create_ruleset landlock_add_rule
		landlock_restrict_self" \
	--console=pipe --boot </dev/null
