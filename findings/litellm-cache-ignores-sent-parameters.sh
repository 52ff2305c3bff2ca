#!/bin/sh
# What: litellm 1.102.4, litellm.cache = Cache(type="local").
# Expected: two requests share a cached answer only if the same request would
#   have been sent for both.
# Seen: the cache's key holds the parameters that litellm knows. Others, such as
#   min_p, repetition_penalty and the provider choice in extra_body, are sent
#   upstream, but the second value is answered with the first value's answer.
# Needs: python3 with pip. (fastapi is there because a cache hit imports it; see
#   litellm-cache-hit-needs-fastapi.sh.)
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts \
    --no-compile --root-user-action=ignore --target "$tmp/lib" \
    litellm==1.102.4 fastapi==0.121.0 orjson==3.13.0

cat > "$tmp/check.py" <<'PYTHON'
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import litellm
from litellm.caching.caching import Cache

received = []


class Upstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        received.append(request)
        answer = {
            "id": f"gen-{len(received)}",
            "object": "chat.completion",
            "created": 1,
            "model": request["model"],
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": f"answer {len(received)}"},
                }
            ],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
threading.Thread(target=server.serve_forever, daemon=True).start()
litellm.suppress_debug_info = True
litellm.cache = Cache(type="local")


def ask(question, **parameters):
    return litellm.completion(
        model="openrouter/example/model",
        api_base=f"http://127.0.0.1:{server.server_port}/v1",
        api_key="none",
        messages=[{"role": "user", "content": question}],
        caching=True,
        **parameters,
    ).choices[0].message.content


PAIRS = {
    "temperature": ({"temperature": 0.1}, {"temperature": 0.9}),
    "seed": ({"seed": 1}, {"seed": 2}),
    "min_p": ({"min_p": 0.1}, {"min_p": 0.9}),
    "repetition_penalty": ({"repetition_penalty": 1.0}, {"repetition_penalty": 1.9}),
    "provider": (
        {"extra_body": {"provider": {"order": ["A"]}}},
        {"extra_body": {"provider": {"order": ["B"]}}},
    ),
}
shared = []
for name, (one, other) in PAIRS.items():
    first = ask(f"question about {name}", **one)
    if name not in received[-1]:
        sys.exit(f"behaviour changed: {name} was not sent upstream")
    second = ask(f"question about {name}", **other)
    print(f"{name}: {one} -> {first}; {other} -> {second}")
    if first == second:
        shared.append(name)
print(f"answered from the cache although the value differs: {shared}")
if shared != ["min_p", "repetition_penalty", "provider"]:
    sys.exit("behaviour changed: expected min_p, repetition_penalty and provider")
PYTHON

LITELLM_LOCAL_MODEL_COST_MAP=True NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 \
    PYTHONNOUSERSITE=1 PYTHONPATH="$tmp/lib" timeout 80 python3 "$tmp/check.py"
