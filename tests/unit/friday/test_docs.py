"""docs/API.md names everything that there is to use."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

import friday.llm
from docs.reference import with_errors_table
from friday.llm import Feature
from friday.llm.config import read_environment
from friday.llm.monitoring.metrics import LlmMetrics
from friday.service import features, rating, routes
from friday.service.app import create_app
from friday.service.feedback import Feedback
from friday.service.request_middleware import RequestMiddleware
from friday.service.settings import ServiceSettings
from tests.unit.friday.given import ENVIRONMENT

TEXT = (Path(__file__).parents[3] / "docs" / "API.md").read_text(encoding="utf-8")


def metric_names() -> list[str]:
    registry = CollectorRegistry()
    LlmMetrics(registry)
    Feedback(b"s", registry)
    RequestMiddleware(create_app(read_environment(ServiceSettings, ENVIRONMENT)), registry=registry, paths=[])
    suffix = {"counter": "_total"}
    return [metric.name + suffix.get(metric.type, "") for metric in registry.collect()]


def endpoints() -> list[str]:
    return [getattr(route, "path", "") for r in (routes.router, features.router, rating.router) for route in r.routes]


@pytest.mark.parametrize("name", friday.llm.__all__)
def test_public_names(name: str) -> None:
    assert f"`{name}`" in TEXT or f"`{name}(" in TEXT


@pytest.mark.parametrize("name", [str(field.validation_alias) for field in ServiceSettings.model_fields.values()])
def test_variables(name: str) -> None:
    assert f"`{name}`" in TEXT


def test_the_errors_are_the_codes() -> None:
    assert with_errors_table(TEXT) == TEXT
    assert all(f"| `{name}` |" in TEXT for name in ("QuotaSpent", "GatewayClosed"))
    with pytest.raises(ValueError, match="a place for the errors"):
        with_errors_table("")


@pytest.mark.parametrize("name", metric_names())
def test_metrics(name: str) -> None:
    assert f"| `{name}` |" in TEXT


@pytest.mark.parametrize("path", endpoints())
def test_endpoints(path: str) -> None:
    assert f" {path}` |" in TEXT


def test_features() -> None:
    assert all(f"`{feature}`" in TEXT for feature in Feature)
