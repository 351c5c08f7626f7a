#!/bin/sh
# Makes ./configure and the Makefile.in templates.
set -e
cd "$(dirname "$0")"
mkdir -p m4
exec autoreconf --install --force --warnings=all,no-obsolete
