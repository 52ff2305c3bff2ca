#!/bin/sh
# What: litellm 1.102.4 with openai 2.54.0, litellm.completion() on an answer as
#   OpenRouter gives it when a provider breaks down while it writes: status 200
#   and finish_reason "error".
# Expected: the caller can tell by finish_reason that the text is incomplete (or
#   gets an exception). The plain openai client hands "error" through.
# Seen: litellm says finish_reason "stop", as for a complete answer; only
#   provider_specific_fields.native_finish_reason still says "error".
# Needs: python3 with pip.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts \
    --no-compile --root-user-action=ignore --target "$tmp/lib" \
    litellm==1.102.4 openai==2.54.0

cat > "$tmp/check.py" <<'PYTHON'
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import litellm
import openai

ANSWER = {
    "id": "gen-1",
    "object": "chat.completion",
    "created": 1,
    "model": "example/model",
    "choices": [
        {
            "index": 0,
            "finish_reason": "error",
            "native_finish_reason": "error",
            "message": {"role": "assistant", "content": "The three steps are: first"},
        }
    ],
    "usage": {"prompt_tokens": 5, "completion_tokens": 6, "total_tokens": 11},
}


class Upstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(ANSWER).encode()
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
base = f"http://127.0.0.1:{server.server_port}/v1"
messages = [{"role": "user", "content": "Name three steps."}]

plain = openai.OpenAI(base_url=base, api_key="none")
seen = {"openai": plain.chat.completions.create(model="example/model", messages=messages).choices[0]}
for provider in ("openrouter", "openai"):
    answer = litellm.completion(
        model=f"{provider}/example/model", api_base=base, api_key="none", messages=messages
    )
    seen[f"litellm, {provider}/"] = answer.choices[0]
for client, choice in seen.items():
    print(f"{client}: finish_reason={choice.finish_reason!r} text={choice.message.content!r}")
if [choice.finish_reason for choice in seen.values()] != ["error", "stop", "stop"]:
    sys.exit("behaviour changed: expected error, stop, stop")
PYTHON

LITELLM_LOCAL_MODEL_COST_MAP=True NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 \
    PYTHONNOUSERSITE=1 PYTHONPATH="$tmp/lib" timeout 80 python3 "$tmp/check.py"
