#!/bin/sh
# What: openai (Python) 3.57.0, OpenAI(timeout=1, max_retries=1) and an upstream
#   that answers 429 with a Retry-After header.
# Expected: a client that was given one second per call fails soon, or at least
#   waits longer the longer Retry-After is.
# Seen: Retry-After of up to 120 s is slept through in silence, whatever the
#   timeout is; one second more, and the error is raised at once without the
#   retry that max_retries promises. So a server that asks for 120 s blocks
#   the caller, and one that asks for 121 s does not.
# Needs: python3 with pip. The wait of 120 s is only looked at for 5 s.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts \
    --no-compile --root-user-action=ignore --target "$tmp/lib" openai==3.57.0

cat > "$tmp/check.py" <<'PYTHON'
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai

calls = {}


class Upstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        seconds = self.path.split("/")[1]
        calls[seconds] = calls.get(seconds, 0) + 1
        body = b'{"error": {"code": 429, "message": "Rate limit exceeded"}}'
        self.send_response(429)
        self.send_header("Retry-After", seconds)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
threading.Thread(target=server.serve_forever, daemon=True).start()


def ask(seconds):
    client = openai.OpenAI(
        base_url=f"http://127.0.0.1:{server.server_port}/{seconds}",
        api_key="none",
        timeout=1,
        max_retries=1,
    )
    try:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hello"}])
    except openai.RateLimitError:
        pass


def observe(seconds, patience):
    thread = threading.Thread(target=ask, args=(seconds,), daemon=True)
    started = time.monotonic()
    thread.start()
    thread.join(patience)
    state = "still waiting" if thread.is_alive() else "RateLimitError"
    took = time.monotonic() - started
    tries = calls[str(seconds)]
    print(f"Retry-After {seconds}: {tries} tries, {state} after {took:.1f} s", flush=True)
    return tries, state, took


three = observe(3, 30)
two_minutes = observe(120, 5)
longer = observe(121, 5)
as_known = (
    three[:2] == (2, "RateLimitError")
    and three[2] >= 3
    and two_minutes[:2] == (1, "still waiting")
    and longer[:2] == (1, "RateLimitError")
)
if not as_known:
    print("behaviour changed", file=sys.stderr)
sys.stdout.flush()
os._exit(0 if as_known else 1)  # not after the sleeping thread's two minutes
PYTHON

NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 \
    PYTHONNOUSERSITE=1 PYTHONPATH="$tmp/lib" timeout 80 python3 "$tmp/check.py"
