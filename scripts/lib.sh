# shellcheck shell=bash
# What scripts/demo, scripts/test, scripts/lint, .ci/run and bench/ share: the
# lists of packages, and how to install, configure and build. To be sourced, not
# run.

# Debian packages by purpose; the names are those of Debian 12 and 13.
# shellcheck disable=SC2034 # used by those who source this
{
packages_build=(gcc libc6-dev make autoconf automake autoconf-archive
	pkg-config libssl-dev libevent-dev libinih-dev libsystemd-dev
	libseccomp-dev)
packages_demo=(openssl curl python3)
packages_test=(libcmocka-dev python3 python3-pytest python3-cryptography
	nginx haproxy redis-server redis-tools gnutls-bin curl openssl
	sslscan testssl.sh)
# Two versions of clang-format never agree, so linting is tied to Debian 12's.
packages_lint=(clang-format-14 shellcheck mandoc)
packages_clang=(clang-14 libclang-rt-14-dev)
packages_dist=(xz-utils)
# Debian boots in a container of systemd's, with systemd as PID 1. In there run
# tests, and the program with the libraries it was linked to out here.
packages_systemd=(debootstrap systemd-container)
packages_systemd_tests=(python3 python3-pytest python3-cryptography)
packages_run=(libssl3 libevent-core-2.1-7 libinih1 libsystemd0 libseccomp2)
packages_bench=(haproxy hitch nginx libnginx-mod-stream stunnel4
	python3-cryptography)
packages_count=(valgrind python3-cryptography)
}

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say()
{
	printf '\n==> %s\n' "$*"
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

package_is_installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" \
		= installed ]
}

# A package that starts a service would leave it running behind our back, so
# none is started while we install; nor at the next boot.
without_services()
{
	local policy=/usr/sbin/policy-rc.d ours=no status=0

	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		ours=yes
	fi
	"$@" || status=$?
	if [ "$ours" = yes ]; then
		rm -f "$policy"
	fi
	return "$status"
}

disable_services()
{
	local package

	[ -d /run/systemd/system ] || return 0
	for package in "$@"; do
		case $package in
		nginx | haproxy | redis-server | hitch | stunnel4)
			systemctl --quiet disable "$package.service" || true ;;
		esac
	done
}

apt()
{
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=3 \
		-o Dpkg::Use-Pty=0 "$@"
}

# Installs what is missing of the packages named. Without root it only says
# what that would be, and gives up.
need_packages()
{
	local package missing=()

	if ! command -v dpkg-query >/dev/null; then
		say "no Debian here: please see to it that these are installed"
		printf '%s\n' "$*"
		return 0
	fi
	for package in "$@"; do
		package_is_installed "$package" || missing+=("$package")
	done
	if [ "${#missing[@]}" -eq 0 ]; then
		return 0
	fi
	if [ "$(id -u)" -ne 0 ]; then
		cat >&2 <<END
These packages are missing and installing them takes root:
    ${missing[*]}
As root I would run:
    apt-get update
    apt-get install --no-install-recommends ${missing[*]}
END
		exit 1
	fi
	say "installing ${missing[*]}"
	apt update || die "apt-get update failed"
	without_services apt install --no-install-recommends "${missing[@]}" ||
		die "the packages could not be installed"
	disable_services "${missing[@]}"
}

# A debootstrap tree has no /etc/hosts: there "localhost" means nothing, and
# the tests have backends of that name.
need_localhost()
{
	if getent hosts localhost >/dev/null; then
		return 0
	fi
	if [ "$(id -u)" -ne 0 ]; then
		die '"localhost" has no address; as root I would add it to' \
			/etc/hosts
	fi
	say "adding localhost to /etc/hosts"
	printf '127.0.0.1\tlocalhost\n::1\tlocalhost\n' >>/etc/hosts
}

# build DIR [configure argument]...: an out-of-tree build in $top/DIR.
build()
{
	local dir="$top/$1"

	shift
	if [ -e "$top/config.status" ]; then
		die "the tree was configured in place: 'make distclean' first"
	fi
	mkdir -p "$dir"
	# Always: a configure that came with the tree may be older than it, or
	# made by another release's automake.
	say "autogen.sh"
	"$top/autogen.sh"
	say "configure $*"
	(cd "$dir" && "$top/configure" --quiet "$@")
	say "make"
	make -C "$dir" --no-print-directory -j "$(nproc)"
}
