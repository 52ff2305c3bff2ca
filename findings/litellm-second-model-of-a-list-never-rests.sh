#!/bin/sh
# What: litellm 1.108.14, its proxy, an alias with a list of fallbacks: first,
#   then second, then third model; a busy model rests from its first failure on
#   (RateLimitErrorAllowedFails: 0).
# Expected: the first and the second model are busy, so the first request asks
#   both of them once, and further ones ask neither while they rest.
# Seen: only the first model rests. The second one is asked by every request,
#   because a later model answers for it, and its failure is reported nowhere.
#   With max_fallbacks: 1, which limits no list but the depth, both rest.
# Needs: python3 (3.11 or newer) with pip; a minute or two.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts \
    --no-compile --root-user-action=ignore --target "$tmp/lib" litellm==1.108.14 \
    apscheduler==3.11.3 backoff==2.2.1 cryptography==50.0.2 expression==5.8.0 \
    fastapi==0.165.0 fastapi-sso==0.23.0 httpx2==2.16.2 mcp==2.3.0 \
    orjson==3.13.0 pyjwt==2.15.1 python-multipart==0.0.34 rich==13.9.4 \
    soundfile==0.14.0 starlette==1.10.0 tomlkit==0.15.2 uvicorn==0.54.0 \
    websockets==15.0.1 prisma==0.15.0 redis==8.1.0 uvloop==0.23.0 numpy==2.4.6

cat > "$tmp/check.py" <<'PYTHON'
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

asked = []
KEY = "sk-" + "0123456789abcdef" * 4


class Upstream(BaseHTTPRequestHandler):
    """Models `first` and `second` are busy, `third` answers."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        model = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["model"]
        asked.append(model)
        if model == "third":
            message = {"role": "assistant", "content": "hello"}
            answer = {"id": "1", "object": "chat.completion", "created": 1, "model": model}
            answer["choices"] = [{"index": 0, "finish_reason": "stop", "message": message}]
            answer["usage"] = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            self.reply(200, answer)
        else:
            self.reply(429, {"error": {"code": 429, "message": "busy"}})

    def reply(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def chat():
    body = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "hi"}]}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/chat/completions", body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer)["choices"][0]["message"]["content"] == "hello"


def requests_of_the_second_model(settings):
    """Start the proxy and send three chats; return how often each model was asked."""
    deployments = [
        {
            "model_name": name,
            "litellm_params": {
                "model": f"openai/{name}",
                "api_base": f"http://127.0.0.1:{server.server_port}",
                "api_key": "none",
            },
        }
        for name in ("first", "second", "third")
    ]
    config = {
        "model_list": deployments,
        "router_settings": {
            "num_retries": 0,
            "cooldown_time": 300,
            "allowed_fails_policy": {"RateLimitErrorAllowedFails": 0},
            "model_group_alias": {"chat": "first"},
            "fallbacks": [{"chat": ["second", "third"]}],
            **settings,
        },
    }
    with open("config.yaml", "w") as file:
        json.dump(config, file)
    os.environ["LITELLM_MASTER_KEY"] = KEY
    command = [sys.executable, "-m", "litellm.proxy.proxy_cli", "--config", "config.yaml"]
    with open("log", "w") as log:
        proxy = subprocess.Popen([*command, "--host", "127.0.0.1", "--port", str(port)], stdout=log, stderr=log)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=5)
                break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if proxy.poll() is not None:
                    sys.exit(open("log").read()[-3000:])
                time.sleep(0.1)
        asked.clear()
        for _ in range(3):
            chat()
        return [asked.count(name) for name in ("first", "second", "third")]
    finally:
        proxy.terminate()
        proxy.wait()


server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
threading.Thread(target=server.serve_forever, daemon=True).start()
port = free_port()
usual = requests_of_the_second_model({})
flat = requests_of_the_second_model({"max_fallbacks": 1})
print(f"three chats, max_fallbacks as it is (5): first, second, third model were asked {usual} times")
print(f"three chats, max_fallbacks 1:            first, second, third model were asked {flat} times")
if (usual, flat) != ([1, 3, 3], [1, 1, 3]):
    sys.exit("behaviour changed: expected [1, 3, 3] and [1, 1, 3]")
PYTHON

cd "$tmp"
LITELLM_LOCAL_MODEL_COST_MAP=True NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 \
    PYTHONNOUSERSITE=1 PYTHONPATH="$tmp/lib" timeout 170 python3 check.py
