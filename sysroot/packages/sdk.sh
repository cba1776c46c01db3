#!/bin/sh
# usage: SDK=DIR WITH_NAME=DIR... sdk.sh OUT WORK
#
# Makes OUT, a copy of the SDK in DIR with the headers and libraries of packages.
set -eu
cp -R "$SDK/sysroot" "$SDK/sdk" "$1/"
env | sed -n 's/^WITH_[A-Z0-9_]*=//p' | sort | while read -r package; do
	if [ -d "$package/dev" ]; then cp -R "$package/dev/." "$1/sysroot/"; fi
done
