"""Health, readiness, metrics and the start page with the rollout position; none of them calls a model."""

import base64
import hashlib
from html import escape
from string import Template

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from friday.llm.breaker import State
from friday.service.models import Alive, Readiness
from friday.service.replies import llm
from serving.exposition import exposition

HEALTH_PATHS = frozenset({"/healthz", "/readyz"})

_STYLE = "body{font:16px/1.5 sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}td{padding:.2rem 1rem}"
_PAGE = Template(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Friday AI (reference)</title>
<meta name="viewport" content="width=device-width"><style>$style</style></head><body>
<h1>Friday AI, reference service</h1>
<p>It answers questions with free models, through the LiteLLM gateway for some users and directly for the
others, and falls back to the direct path when the gateway fails.</p>
<table>
<tr><td>LiteLLM</td><td>$enabled</td></tr>
<tr><td>Users on LiteLLM</td><td>$percentage %</td></tr>
<tr><td>Gateway</td><td>$breaker</td></tr>
<tr><td>Model of the direct path</td><td>$model</td></tr>
</table>
<p>Ask: <code>POST /api/chat</code> with <code>{"user_id": 7, "message": "Hi"}</code>.
All endpoints: <a href="/openapi.json">/openapi.json</a>.</p>
</body></html>
"""
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'"
_BREAKER_WORDS = ("in use when asked for", "being tried again", "not used for a while, after failures")

_HEADERS = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff", "cache-control": "no-store"}

router = APIRouter()


@router.get("/", response_class=HTMLResponse)
async def start_page(request: Request) -> HTMLResponse:
    """Say what this is; every value is escaped."""
    service = llm(request)
    values = {
        "enabled": "on" if service.config.enable_litellm else "off",
        "percentage": str(service.percentage),
        "breaker": _BREAKER_WORDS[service.breaker.state],
        "model": service.config.openrouter_model,
    }
    page = _PAGE.substitute({name: escape(value) for name, value in values.items()}, style=_STYLE)
    return HTMLResponse(page, headers=_HEADERS)


@router.get("/healthz", response_model=Alive, responses={503: {"model": Alive, "description": "Draining."}})
async def healthz() -> JSONResponse:
    """Alive. While the service drains, its server answers 503 instead."""
    return JSONResponse({"status": "ok"})


@router.get(
    "/readyz",
    response_model=Readiness,
    responses={503: {"model": Readiness | Alive, "description": "Some users could not get an answer, or draining."}},
)
async def readyz(request: Request) -> JSONResponse:
    """Ready when every user could get an answer. Sends no request."""
    service = llm(request)
    direct = bool(service.config.openrouter_api_key.get_secret_value())
    gateway = service.percentage > 0 and service.breaker.state is not State.OPEN
    # Without the direct path, only a full rollout can answer every user.
    ready = direct or (gateway and service.percentage == 100)
    words = {"status": "ready" if ready else "not ready", "direct": direct, "gateway": gateway}
    return JSONResponse(words, 200 if ready else 503)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Prometheus metrics."""
    return Response(exposition(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)
