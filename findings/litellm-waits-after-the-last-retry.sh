#!/bin/sh
# What: litellm 1.102.4, litellm.Router(num_retries=1) and an upstream that
#   answers 429 with "Retry-After: 3".
# Expected: try, wait 3 s, try again, raise: the caller has the error as soon as
#   the last try has failed.
# Seen: the router waits for Retry-After once more after the last try, before it
#   raises. With num_retries=0 it raises at once.
# Needs: python3 with pip.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts \
    --no-compile --root-user-action=ignore --target "$tmp/lib" litellm==1.102.4

cat > "$tmp/check.py" <<'PYTHON'
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import litellm

answered = []


class Upstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"error": {"code": 429, "message": "Rate limit exceeded"}}).encode()
        self.send_response(429)
        self.send_header("Retry-After", "3")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        answered.append(time.monotonic())

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
threading.Thread(target=server.serve_forever, daemon=True).start()
litellm.suppress_debug_info = True
model = {
    "model": "openrouter/example/model",
    "api_base": f"http://127.0.0.1:{server.server_port}/v1",
    "api_key": "none",
}


def wait_after_last_answer(num_retries):
    answered.clear()
    router = litellm.Router(
        model_list=[{"model_name": "model", "litellm_params": model}],
        num_retries=num_retries,
        disable_cooldowns=True,
    )
    try:
        router.completion(model="model", messages=[{"role": "user", "content": "hello"}])
    except litellm.RateLimitError:
        waited = time.monotonic() - answered[-1]
    else:
        sys.exit("behaviour changed: no error was raised")
    print(
        f"num_retries={num_retries}: {len(answered)} tries;"
        f" the error came {waited:.1f} s after the last one had failed"
    )
    return len(answered), waited


wait_after_last_answer(0)  # the first call of a process also loads modules
tries, without = wait_after_last_answer(0)
if tries != 1 or without > 2:
    sys.exit("behaviour changed: expected one try and no wait")
tries, after = wait_after_last_answer(1)
if tries != 2 or after < 2.5:
    sys.exit("behaviour changed: expected two tries and about 3 s of waiting after the second")
PYTHON

LITELLM_LOCAL_MODEL_COST_MAP=True NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 \
    PYTHONNOUSERSITE=1 PYTHONPATH="$tmp/lib" timeout 80 python3 "$tmp/check.py"
