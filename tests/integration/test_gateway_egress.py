"""The gateway's way to OpenRouter's own address, through a proxy and with a company's certificates: all real, but who
answers.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.catalogue import Catalogue, default_models
from components.egress import CA_FILE
from components.free_models import OPENROUTER, RouterTuning, render_litellm_config
from ops.checks import way_out
from testing.certificates import Authority
from testing.way_out import proxy, upstream
from tests.integration.gateway_container import FILES, GatewayContainer, gateway
from tests.integration.gateway_upstream import Upstream

pytestmark = pytest.mark.engine
ANSWER = {
    "id": "gen-1",
    "object": "chat.completion",
    "created": 1,
    "model": "any",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    "data": [{"id": "one/two:free"}],
}


def test_calls_go_through_the_proxy_to_openrouter_and_nowhere_else(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path / "company"), Authority(tmp_path / "other")
    # Python from 3.13 on wants the key's identifier too.
    extensions = "subjectAltName=DNS:openrouter.ai\nauthorityKeyIdentifier=keyid"
    certificate = authority.sign("openrouter", extensions=extensions)
    catalogue = Catalogue(models=default_models())
    config = render_litellm_config(catalogue, RouterTuning(), upstream=OPENROUTER)
    unused = Upstream()
    with (
        upstream(certificate, body=json.dumps(ANSWER).encode()) as port,
        proxy(to=port) as between,
        gateway(
            unused,
            config=config,
            further={CA_FILE: authority.ca.read_text(), "other.pem": other.ca.read_text()},
            OPENROUTER_API_BASE=OPENROUTER,
            HTTPS_PROXY=f"http://127.0.0.1:{between.port}",
            SSL_CERT_FILE=f"{FILES}/{CA_FILE}",
        ) as running,
    ):
        assert said(running) == "ok: 1 free models are listed"
        assert said(running, SSL_CERT_FILE=f"{FILES}/other.pem").startswith("certificate: that of openrouter.ai")
        asked = len(between.asked)
        answer = running.chat()
        assert (answer.status_code, answer.json()["choices"][0]["message"]["content"]) == (200, "hello")
        assert len(between.asked) == asked + 1
        assert set(between.asked) == {"openrouter.ai:443"}
        between.status = "403 Forbidden"
        assert said(running) == "proxy: CONNECT openrouter.ai:443 was answered with HTTP/1.1 403 Forbidden"
    unused.close()


def said(running: GatewayContainer, **environment: str) -> str:
    command = ["python3", "-I", "-c", way_out.PROGRAM, way_out.MODELS]
    output = running.container.exec_run(command, environment=environment).output
    assert isinstance(output, bytes)
    return output.decode().strip()
