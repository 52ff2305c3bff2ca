"""The start page: what the service is, and the rollout position."""

import base64
import hashlib
from html import escape
from string import Template

from friday.llm import LlmRouter

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

HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


def render(router: LlmRouter) -> str:
    """Return the page as HTML; every value is escaped."""
    values = {
        "enabled": "on" if router.config.enable_litellm else "off",
        "percentage": str(router.percentage),
        "breaker": _BREAKER_WORDS[router.breaker.state],
        "model": router.config.openrouter_model,
    }
    return _PAGE.substitute({name: escape(value) for name, value in values.items()}, style=_STYLE)
