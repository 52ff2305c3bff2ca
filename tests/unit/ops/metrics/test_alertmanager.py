"""What is asked of Alertmanager, and what is said when it does not answer or cannot tell anybody."""

from typing import Any

import httpx
import pytest

from ops.hosts.in_container import InContainer
from ops.metrics import alertmanager as module
from ops.metrics.alertmanager import Alerting, Alertmanager, Deliveries, alerting, alertmanager_of
from ops.metrics.collect import Sources
from ops.metrics.prometheus import Prometheus
from ops.metrics.server import SilentError
from tests.unit.given import settings
from tests.unit.ops.deployed import Played
from tests.unit.ops.fake_alertmanager import FakeAlertmanager, firing
from tests.unit.ops.fake_prometheus import FakePrometheus

URL = "http://alertmanager"
OUTPUTS = {"alertsUrl": URL, "prometheusUrl": "http://prometheus"}
ASKED = Sources("http://prometheus", "http://router", ("first",))


def deployed(**changes: Any) -> Played:
    return Played(lambda: settings(**changes)).with_hosts()


def test_alerts_are_shown_the_worst_first_with_what_to_do() -> None:
    given = [firing("LatencyHigh"), firing("GatewayDown", severity="critical")]
    first, second = Alertmanager(URL, FakeAlertmanager(given)).alerts()
    assert first.line == (
        "GatewayDown (critical, litellm) since 2026-11-30 02:14 UTC: p95 is 9 s; next: ./fridayctl status t"
    )
    assert second.name == "LatencyHigh"


@pytest.mark.parametrize(
    ("silenced_by", "said"), [(["id-1"], "(silenced: nobody is told)"), ([], "(its part has worse: nobody is told)")]
)
def test_one_that_nobody_is_told_of_says_so(silenced_by: list[str], said: str) -> None:
    (found,) = Alertmanager(URL, FakeAlertmanager([firing("LatencyHigh", "suppressed", silenced_by)])).alerts()
    assert said in found.line


def test_an_alert_of_others_without_words_is_a_line_too() -> None:
    bare = {**firing("Theirs"), "annotations": {}, "labels": {"alertname": "Theirs"}}
    (found,) = Alertmanager(URL, FakeAlertmanager([bare])).alerts()
    assert found.line == "Theirs () since 2026-11-30 02:14 UTC"


def test_attempts_and_failures_are_counted_by_channel() -> None:
    fake = FakeAlertmanager(takes={"slack": True, "webhook": False})
    asked = Alertmanager(URL, fake)
    assert asked.deliveries() == {"slack": Deliveries(), "webhook": Deliveries()}
    asked.post([{"labels": {"alertname": "X"}}])
    assert fake.posted == [[{"labels": {"alertname": "X"}}]]
    assert asked.deliveries() == {"slack": Deliveries(1, 0), "webhook": Deliveries(1, 1)}


@pytest.mark.parametrize(
    ("fake", "said"),
    [
        (FakeAlertmanager(status=500, body="broken"), f"Alertmanager at {URL} answers 500: broken"),
        (FakeAlertmanager(body="<html>"), f"what answers at {URL} is no Alertmanager"),
    ],
)
def test_a_wrong_answer_is_said(fake: FakeAlertmanager, said: str) -> None:
    with pytest.raises(SilentError, match=said):
        Alertmanager(URL, fake).alerts()


def test_its_channels_are_those_of_its_configuration() -> None:
    assert Alertmanager(URL, FakeAlertmanager(takes={"slack": True, "email": True})).channels() == ["email", "slack"]
    with pytest.raises(SilentError, match="is no Alertmanager"):
        Alertmanager(URL, FakeAlertmanager(body="{}")).channels()


def test_no_answer_is_said() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    asked = Alertmanager(URL, httpx.MockTransport(refuse))
    with pytest.raises(SilentError, match="does not answer"):
        asked.post([])
    asked.close()


@pytest.mark.parametrize(
    ("changes", "outputs"),
    [({"monitoring": {"alerts": {"enabled": False}}}, OUTPUTS), ({}, {"prometheusUrl": "http://prometheus"})],
)
def test_a_stack_may_have_none(changes: dict[str, Any], outputs: dict[str, object]) -> None:
    assert alertmanager_of(deployed(**changes), outputs) is None
    assert alerting(deployed(**changes), outputs, ASKED, 0.0) == Alerting()


def test_one_elsewhere_is_asked_inside_its_container(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[tuple[str, Any]] = []
    monkeypatch.setattr(module, "Alertmanager", lambda *given: found.append(given))
    alertmanager_of(deployed(engine="swarm", swarmHosts=["ssh://deploy@other.example"]), {})
    alertmanager_of(deployed(dockerHost="ssh://deploy@host.example"), OUTPUTS)
    alertmanager_of(deployed(), OUTPUTS)
    assert [url for url, _ in found] == ["http://alertmanager:9093", "http://alertmanager:9093", URL]
    assert [isinstance(way, InContainer) for _, way in found] == [True, True, False]


def asked(monkeypatch: pytest.MonkeyPatch, fake: FakeAlertmanager, prometheus: FakePrometheus) -> Alerting:
    monkeypatch.setattr(module, "Alertmanager", lambda url, _: Alertmanager(url, fake))
    monkeypatch.setattr(module, "Prometheus", lambda url, _: Prometheus(url, prometheus))
    return alerting(deployed(), OUTPUTS, ASKED, 0.0)


def test_channels_that_do_not_take_alerts_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [({"integration": "webhook"}, 3.0), ({"integration": "slack"}, 0.0)]
    fake = FakePrometheus({"alertmanager_notification_requests_failed_total": rows})
    found = asked(monkeypatch, FakeAlertmanager([firing("LatencyHigh")]), fake)
    assert [each.name for each in found.firing] == ["LatencyHigh"]
    assert found.warnings("t") == [
        "alerts do not reach notify.webhook: 3 of the attempts within 15 minutes failed; "
        "./fridayctl notify test t tries it"
    ]


def test_an_alertmanager_that_is_down_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked(monkeypatch, FakeAlertmanager(status=503), FakePrometheus())
    (said,) = found.warnings("t")
    assert said.startswith("whether alerts fire is not known: Alertmanager at http://alertmanager answers 503")
