#!/bin/sh
# What: litellm 1.102.4 and 1.108.14, litellm.Router(allowed_fails=...).
# Expected: allowed_fails=3 takes a failing deployment out of use after its
#   fourth failure, between allowed_fails=2 (after the third) and 4 (after the
#   fifth).
# Seen: 2 and 4 do that; 3 is the library's default and is read as "not set",
#   so the failing deployment is asked again by every request.
# Needs: python3 with pip.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

cat > "$tmp/check.py" <<'PYTHON'
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import litellm

REQUESTS = 12
upstream_calls = 0


class FailingUpstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        global upstream_calls
        upstream_calls += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"error": {"code": 503, "message": "Provider returned error"}}).encode()
        self.send_response(503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), FailingUpstream)
threading.Thread(target=server.serve_forever, daemon=True).start()
litellm.suppress_debug_info = True
base = f"http://127.0.0.1:{server.server_port}/v1"


def calls_to_the_failing_model(allowed_fails):
    global upstream_calls
    upstream_calls = 0
    first = {"model": "openrouter/example/first", "api_base": base, "api_key": "none"}
    second = {"model": "openrouter/example/second", "api_key": "none", "mock_response": "second"}
    router = litellm.Router(
        model_list=[
            {"model_name": "first", "litellm_params": first},
            {"model_name": "second", "litellm_params": second},
        ],
        fallbacks=[{"first": ["second"]}],
        allowed_fails=allowed_fails,
        cooldown_time=300,
        num_retries=0,
    )
    for _ in range(REQUESTS):
        router.completion(model="first", messages=[{"role": "user", "content": "hello"}])
    return upstream_calls


seen = {allowed: calls_to_the_failing_model(allowed) for allowed in (2, 3, 4)}
for allowed, calls in seen.items():
    print(f"  allowed_fails={allowed}: {REQUESTS} requests asked the failing model {calls} times")
if seen != {2: 3, 3: REQUESTS, 4: 5}:
    sys.exit("behaviour changed: expected 3, 12 and 5 calls")
PYTHON

for version in 1.102.4 1.108.14; do
    rm -rf "$tmp/lib"
    python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts \
        --no-compile --root-user-action=ignore --target "$tmp/lib" "litellm==$version"
    echo "litellm $version"
    LITELLM_LOCAL_MODEL_COST_MAP=True NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 \
        PYTHONNOUSERSITE=1 PYTHONPATH="$tmp/lib" timeout 80 python3 "$tmp/check.py"
done
