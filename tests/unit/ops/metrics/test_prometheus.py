"""The client of Prometheus: a server that is away is told, and what is no number is left out."""

import httpx
import pytest

from ops.metrics.prometheus import Prometheus
from ops.metrics.server import SilentError
from tests.unit.ops.fake_prometheus import FakePrometheus

NOW = 1_800_000_000.0


def test_a_server_that_is_not_there_is_told() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    asked = Prometheus("http://prometheus", httpx.MockTransport(refuse))
    with pytest.raises(SilentError, match="http://prometheus does not answer"):
        asked.ask("up", NOW)
    asked.close()


def test_what_is_not_a_number_is_no_sample() -> None:
    fake = FakePrometheus({"x": [({}, float("nan")), ({}, float("inf")), ({}, 1.0)]})
    assert [each.number for each in Prometheus("http://p", fake).ask("x", NOW)] == [1.0]
