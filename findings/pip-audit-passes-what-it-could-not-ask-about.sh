#!/bin/sh
# What: pip-audit 2.10.1, a locked package of which PyPI's JSON API answers 404 (a private one, or all of them behind a
#   mirror that serves the simple index alone).
# Expected: an audit that could look at no package fails, or has an exit code of its own.
# Seen: "No known vulnerabilities found" and exit code 0, with the package in a table of what was skipped; only
#   `--strict` fails.
# Needs: python3 with venv; PyPI.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install --quiet --disable-pip-version-check pip-audit==2.10.1

zeros=0000000000000000000000000000000000000000000000000000000000000000
echo "there-is-no-such-package-of-friday==1.0 --hash=sha256:$zeros" > "$tmp/requirements.txt"

audit() { # prints what it says and returns its exit code
    code=0
    "$tmp/venv/bin/pip-audit" --disable-pip --require-hashes --progress-spinner off "$@" \
        --requirement "$tmp/requirements.txt" > "$tmp/said" 2>&1 || code=$?
    echo "pip-audit $*: exit code $code"
    sed 's/^/    /' "$tmp/said"
    return "$code"
}

if audit && ! audit --strict && grep -q "not found on PyPI" "$tmp/said"; then
    echo "as described: what could not be looked at passes"
else
    echo "changed: pip-audit no longer passes a package that it could not ask about" >&2
    exit 1
fi
