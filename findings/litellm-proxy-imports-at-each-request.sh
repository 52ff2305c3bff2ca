#!/bin/sh
# What: the proxy of litellm 1.108.14 with the packages of its extra "proxy"
#   that its start needs, none of OpenTelemetry (which is in the extra
#   "proxy-runtime") and no tracing configured; one authorized request after
#   the other.
# Expected: once warm, a request imports nothing.
# Seen: each request looks for litellm.integrations.otel.logger anew, executes
#   it up to its import of opentelemetry.sdk, and drops the error with a line
#   at level debug. A failed import is not remembered, so the files are read
#   again for every request: in a profile 8 % of a plain chat's processor time.
# Needs: python3 with pip. No model is called.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

python3 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --no-compile litellm==1.108.14 apscheduler==3.11.3 backoff==2.2.1 \
    cryptography==50.0.2 expression==5.8.0 fastapi==0.165.0 \
    fastapi-sso==0.23.0 httpx2==2.16.2 mcp==2.3.0 orjson==3.13.0 \
    pyjwt==2.15.1 python-multipart==0.0.34 rich==13.9.4 soundfile==0.14.0 \
    starlette==1.10.0 tomlkit==0.15.2 uvicorn==0.54.0 websockets==15.0.1 \
    prisma==0.15.0 redis==8.1.0

cat > "$tmp/check.py" <<'PYTHON'
import collections
import sys

seen = collections.Counter()
sys.addaudithook(lambda event, args: seen.update([args[0]]) if event == "import" else None)

from fastapi.testclient import TestClient
from litellm.proxy.proxy_server import app

client = TestClient(app)


def ask(times):
    for _ in range(times):
        answer = client.get("/v1/models", headers={"Authorization": "Bearer sk-1234"})
        assert answer.status_code == 200, answer.text


ask(3)
seen.clear()
ask(10)
for name in ("litellm.integrations.otel.logger", "opentelemetry.sdk"):
    print(f"{name}: looked for {seen[name]} times in 10 requests")
if seen["litellm.integrations.otel.logger"] != 10 or seen["opentelemetry.sdk"] != 10:
    sys.exit("behaviour changed: expected both to be looked for once a request")
PYTHON

HOME=$tmp LITELLM_MASTER_KEY=sk-1234 LITELLM_LOCAL_MODEL_COST_MAP=True LITELLM_LOG=ERROR \
    timeout 200 "$tmp/venv/bin/python" "$tmp/check.py"
