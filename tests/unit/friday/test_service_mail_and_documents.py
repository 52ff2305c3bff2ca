"""Documents, e-mail summaries and labels over HTTP."""

import httpx
import pytest

from tests.unit.friday.served import ON, metrics_of
from tests.unit.friday.upstream import Upstream, good_answer, plain

pytestmark = pytest.mark.anyio


async def test_documents_and_mail(gateway: Upstream, http: httpx.AsyncClient) -> None:
    gateway.scripts = [
        plain(good_answer("m", "# Plan")),
        plain(good_answer("m", " Short. ")),
        plain(good_answer("m", '["Lead", "Spam"]')),
    ]
    document = await http.post("/api/docs", json={"user_id": ON, "title": "Plan", "notes": "x"})
    mail = {"user_id": ON, "subject": "Offer", "body": "Please call."}
    summary = await http.post("/api/email/summary", json=mail)
    labels = await http.post("/api/email/labels", json=mail | {"labels": ["Lead", "Finance"]})
    assert document.json() == {"document": "# Plan", "model": "m"}
    assert summary.json() == {"summary": "Short.", "model": "m"}
    assert labels.json() == {"labels": ["Lead"], "model": "m"}
    assert "Please call." in gateway.requests[2].json["messages"][1]["content"]
    metrics = await metrics_of(http)
    for feature in ("docs", "email_summary", "email_labels"):
        assert f'feature="{feature}",model="m",outcome="ok",path="litellm"}} 1.0' in metrics
