#!/bin/sh
# What: grafana-foundation-sdk, the types and builders of Grafana's dashboards, from PyPI.
# Expected: without an upper bound pip takes the newest release, 0.0.21, which has the
#   types of Grafana 12 and 13 (`dashboardv2`, schemaVersion 42).
# Seen: it takes 1769699998!10.1.0, the types of Grafana 10.1. Releases for single
#   versions of Grafana have the time of their build as the epoch of their number, and
#   an epoch is above every version without one (PEP 440).
# Needs: Python 3.11 or newer.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
cd "$tmp"

python3 -m venv venv
fetch() {
    venv/bin/pip download --quiet --disable-pip-version-check --no-deps --dest "$1" "$2"
    python3 -m zipfile -l "$1"/*.whl | grep -c 'models/dashboardv2.py' || true
}
# The upper bound keeps what is released later out of this.
taken=$(fetch taken 'grafana-foundation-sdk>=0.0.21,<=1769699998!10.1.0')
named=$(fetch named 'grafana-foundation-sdk==0.0.21')
seen="$(basename taken/*.whl) has dashboardv2: $taken; $(basename named/*.whl): $named"
echo "$seen"
expected='grafana_foundation_sdk-1769699998!10.1.0-py3-none-any.whl has dashboardv2: 0; grafana_foundation_sdk-0.0.21-py3-none-any.whl: 1'
[ "$seen" = "$expected" ] || { echo "behaviour changed: expected $expected" >&2; exit 1; }
