#!/bin/sh
# What: litellm 1.102.4 as a library (installed without the "proxy" extra) with
#   litellm.cache = Cache(type="local") and no API server anywhere.
# Expected: the second of two equal calls returns the cached answer; if a
#   package were missing, the import or the first call would say so.
# Seen: the first call is answered and stored. The second finds the stored
#   answer and then raises ModuleNotFoundError for fastapi, which a plain
#   installation does not bring. So a try with distinct questions passes, and
#   the first repeated question fails.
# Needs: python3 with pip. mock_response stands for the model: nothing is sent.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# A virtual environment, so that a fastapi of the machine's own is not seen.
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --no-compile litellm==1.102.4

cat > "$tmp/check.py" <<'PYTHON'
import sys

import litellm
from litellm.caching.caching import Cache

litellm.suppress_debug_info = True
litellm.cache = Cache(type="local")


def ask(question):
    try:
        answer = litellm.completion(
            model="openrouter/example/model",
            api_key="none",
            messages=[{"role": "user", "content": question}],
            mock_response=f"answer to {question}",
            caching=True,
        )
        return answer.choices[0].message.content
    except Exception as error:
        return f"{type(error).__name__}: {error}"


seen = [ask(question) for question in ("one", "two", "two")]
for number, text in enumerate(seen, 1):
    print(f"call {number}: {text}")
if seen != ["answer to one", "answer to two", "ModuleNotFoundError: No module named 'fastapi'"]:
    sys.exit("behaviour changed: expected two answers, then ModuleNotFoundError")
PYTHON

LITELLM_LOCAL_MODEL_COST_MAP=True timeout 80 "$tmp/venv/bin/python" "$tmp/check.py"
