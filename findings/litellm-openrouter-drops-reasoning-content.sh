#!/bin/sh
# What: litellm 1.108.14, litellm.completion(stream=True) on an openrouter/ model
#   whose thoughts come as delta.reasoning_content (as some providers write them)
#   or as delta.reasoning_details, and not as delta.reasoning.
# Expected: the thoughts are in the chunks' reasoning_content, as they are for
#   delta.reasoning; the plain openai client hands all three through.
# Seen: the OpenRouter stream reader sets reasoning_content to the value of
#   reasoning, also when there is none: a thought under the name that litellm
#   itself uses is lost.
# Needs: python3 with pip.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts \
    --no-compile --root-user-action=ignore --target "$tmp/lib" litellm==1.108.14

cat > "$tmp/check.py" <<'PYTHON'
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import litellm

THOUGHTS = {
    "reasoning": "thought",
    "reasoning_content": "thought",
    "reasoning_details": [{"type": "reasoning.text", "text": "thought", "index": 0}],
}


class Upstream(BaseHTTPRequestHandler):
    """Thinks under the name that the model's own name says, and answers."""

    def do_POST(self):
        model = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["model"]
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        name = model.partition("/")[2]
        for delta, finish in (({"content": "", name: THOUGHTS[name]}, None), ({"content": "answer"}, "stop")):
            choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish}
            chunk = {"id": "gen-1", "object": "chat.completion.chunk", "created": 1, "model": model}
            self.wfile.write(b"data: " + json.dumps({**chunk, "choices": [choice]}).encode() + b"\n\n")
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
threading.Thread(target=server.serve_forever, daemon=True).start()
litellm.suppress_debug_info = True
base = f"http://127.0.0.1:{server.server_port}/v1"
messages = [{"role": "user", "content": "Think."}]
seen = {}
for name in THOUGHTS:
    chunks = litellm.completion(
        model=f"openrouter/example/{name}", api_base=base, api_key="none", messages=messages, stream=True
    )
    thoughts = [getattr(chunk.choices[0].delta, "reasoning_content", None) for chunk in chunks if chunk.choices]
    seen[name] = "".join(filter(None, thoughts))
    print(f"delta.{name}: reasoning_content={seen[name]!r}")
if seen != {"reasoning": "thought", "reasoning_content": "", "reasoning_details": ""}:
    sys.exit("behaviour changed: expected thoughts of the first one only")
PYTHON

LITELLM_LOCAL_MODEL_COST_MAP=True NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 \
    PYTHONNOUSERSITE=1 PYTHONPATH="$tmp/lib" timeout 100 python3 "$tmp/check.py"
