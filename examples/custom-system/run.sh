#!/bin/sh
# Builds the system that linnet.toml describes, starts its server, and fetches two pages from it.
set -eu
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

linnet build --system linnet.toml -o "$out/vm" >/dev/null
"$out/vm" -- serve sh -c 'wget -qO- localhost:8080; wget -qO- localhost:8080/cgi-bin/planets'
