"""A Prometheus that knows what it is told: answers by words of the expression, and remembers what was asked."""

import json
from collections.abc import Mapping
from urllib.parse import parse_qs

import httpx

Rows = list[tuple[dict[str, str], float]]


class FakePrometheus(httpx.BaseTransport):
    """Answers a query with the rows of the first key whose words are all in it; with nothing when there is none."""

    def __init__(self, answers: Mapping[str, Rows] | None = None, *, status: int = 200, body: str = "") -> None:
        self.answers = dict(answers or {})
        self.asked: list[tuple[str, float]] = []
        self.names: tuple[str, ...] = ()
        """The metrics that the parts have; none is as if no part were scraped now."""
        self._status, self._body = status, body

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._body or self._status != 200:
            return httpx.Response(self._status, text=self._body)
        if request.url.path.endswith("/metadata"):
            return httpx.Response(200, json={"status": "success", "data": {name: [] for name in self.names}})
        form = parse_qs(request.content.decode())
        query, at = form["query"][0], float(form.get("time", ["0"])[0])
        if "time" in form:
            self.asked.append((query, at))
        rows = next((rows for words, rows in self.answers.items() if all(word in query for word in words.split())), [])
        result = [{"metric": labels, "value": [at, str(number)]} for labels, number in rows]
        return httpx.Response(
            200, text=json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}})
        )


def vector(number: float) -> Rows:
    """Return one sample without labels."""
    return [({}, number)]
