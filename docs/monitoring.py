"""Makes INDICATORS.md, and the tables of MONITORING.md, from the code. `python -m docs.monitoring` rewrites them."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.parser import text_string_to_metric_families

from components.dashboards.shown import PAGES
from docs.marked import filled
from friday.llm.config import read_environment
from friday.service.app import create_app
from friday.service.settings import ServiceSettings
from gateway.metrics import Metrics
from indicators import INDICATORS, Indicator
from indicators.registry import GROUPS

PAGE = Path(__file__).with_name("MONITORING.md")
QUERIES = Path(__file__).with_name("INDICATORS.md")
WINDOW = "1h"
"""What the page of the queries looks back."""

_BEGIN, _END = "<!-- {}: made by docs/monitoring.py -->\n", "<!-- end of {} -->"
_UNITS = {
    "ratio": "0 to 1",
    "seconds": "s",
    "count": "",
    "dollars": "$",
    "percent": "0 to 100",
    "flag": "0 or 1",
}
_WIDTH = 118
_ENVIRONMENT = {
    name: "stand-in-0123456789"
    for name in ("JWT_SECRET", "OWNER_OPEN_ID", "DATABASE_URL", "VITE_APP_ID", "OPENROUTER_API_KEY")
} | {"OPENROUTER_MODEL": "stand-in/model:free"}
"""What Friday does not start without; nobody is asked anything here."""
_OTHERS = {
    "haproxy_frontend_http_responses_total": "answers of a frontend of the edge (`proxy`) by class of status (`code`)",
    "haproxy_backend_http_responses_total": "answers of a backend of the edge: what users got",
    "haproxy_server_http_responses_total": "answers of one replica behind the edge: what it gave",
    "haproxy_backend_active_servers": "replicas behind a backend (`proxy`) that the edge sends requests to",
    "haproxy_server_status": "1 for the state (`state`) that a replica, or the switch of the gateway, is in",
    "alertmanager_notification_requests_failed_total": "messages of Alertmanager that a channel did not take",
    "redis_up": "1 while Redis answers its exporter",
    "redis_memory_used_bytes": "memory that Redis' data take",
    "redis_memory_max_bytes": "memory that Redis' data may take",
    "ALERTS": "Prometheus' own: 1 for each alert (`alertname`, `severity`) in its state (`alertstate`)",
    "up": "Prometheus' own: 1 for each replica (`job`, `instance`) that answered its last scrape",
}
"""The metrics of other software that the stack asks for."""


def own_metrics() -> list[Metric]:
    """Return every metric of our own that Friday and the gateway show when they are scraped."""
    gateway = CollectorRegistry()
    Metrics(gateway)
    with TestClient(create_app(read_environment(ServiceSettings, _ENVIRONMENT))) as friday:
        shown = text_string_to_metric_families(friday.get("/metrics").text)
        found = [*gateway.collect(), *(metric for metric in shown if metric.name.startswith("friday_"))]
    return sorted(found, key=lambda metric: metric.name)


def shown_name(metric: Metric) -> str:
    """Return a metric's name as Prometheus shows it, a histogram's without the endings of its series."""
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


def queries_page() -> str:
    """Return the page with each indicator's query."""
    head = (
        "# Indicators\n\n"
        "<!-- made by docs/monitoring.py -->\n"
        "The query of each indicator, over the last hour. Gates, alerts, the report and the dashboards show these\n"
        "numbers, from [indicators/](../indicators). For another window change every `1h`. What each says is in\n"
        "[MONITORING.md](MONITORING.md#indicators), with what to do; why counters are counted like this, in\n"
        "[How to count](MONITORING.md#how-to-count).\n"
    )
    return head + "".join(_queries(group, members) for group, members in GROUPS.items())


def page_with_tables(text: str) -> str:
    """Return MONITORING.md with up-to-date tables; ValueError when it has no place for one."""
    for name, table in (("indicators", indicators_table()), ("panels", panels_table()), ("metrics", metrics_table())):
        text = filled(text, PAGE.name, name, _BEGIN.format(name), _END.format(name), table)
    return text


def indicators_table() -> str:
    """Return the indicators, group by group: what each says, and what to do."""
    return "\n".join(_group(group, members) for group, members in GROUPS.items())


def panels_table() -> str:
    """Return the panels of each dashboard, and the indicators that they show."""
    rows = (
        f"| {page.title} | {section.title.partition(',')[0]} | "
        + "; ".join(
            f"{panel.title} ({', '.join(f'`{name}`' for name in panel.indicators)})" for panel in section.panels
        )
        + " |"
        for page in PAGES
        for section in page.sections
    )
    return "\n".join(["| dashboard | section | panels (indicators) |", "|---|---|---|", *rows, ""])


def metrics_table() -> str:
    """Return every metric: what it is, and the indicators that are made of it."""
    own = {shown_name(metric): f"{metric.type}: {_begun_small(metric.documentation)}" for metric in own_metrics()}
    lines = (f"| `{name}` | {says} | {_users(name)} |" for name, says in {**own, **_OTHERS}.items())
    return "\n".join(["| metric | what it is | indicators |", "|---|---|---|", *lines, ""])


def metrics_of(expression: str) -> set[str]:
    """Return the metrics that an expression asks for, a histogram by its name alone."""
    without = re.sub(r'"[^"]*"|(?:by|on|ignoring|group_left) \([^)]*\)|\[[^\]]*\]', " ", expression)
    words = re.findall(r"(?<![\w$])(?:friday|gateway|haproxy|redis|alertmanager)_\w+|\bALERTS\b|\bup\b(?! \()", without)
    return {re.sub(r"_(bucket|count|sum)$", "", word) for word in words}


def _group(group: str, members: Iterable[Indicator]) -> str:
    alike = groupby(members, lambda each: (each.says, each.do))
    rows = (f"| {_named(list(found))} | {_linked(says)} | {_linked(do)} |" for (says, do), found in alike)
    return "\n".join([f"### {group}", "", "| indicator | what it says | what to do |", "|---|---|---|", *rows, ""])


def _named(indicators: Sequence[Indicator]) -> str:
    """Return the names of indicators that say the same, as the percentiles of one histogram do, and their title."""
    names = ", ".join(f"[{each.name}]({QUERIES.name}#{each.name})" for each in indicators)
    return f"{names}<br>{indicators[0].title.partition(',')[0]}{_unit(indicators[0])}"


def _unit(indicator: Indicator) -> str:
    unit = _UNITS[indicator.unit]
    return f" ({unit})" if unit else ""


def _queries(group: str, members: Iterable[Indicator]) -> str:
    return f"\n## {group}\n" + "".join(
        f"\n### {each.name}\n\n{each.title}.\n\n```promql\n{_wrapped(each.expression(WINDOW))}\n```\n"
        for each in members
    )


def _wrapped(query: str) -> str:
    return textwrap.fill(query, _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _linked(text: str) -> str:
    """Return text with its pages as links."""
    return re.sub(r"\b([A-Z_]+\.md)\b", r"[\1](\1)", text)


def _users(name: str) -> str:
    found = (each.name for each in INDICATORS.values() if name in metrics_of(each.expression(WINDOW)))
    return ", ".join(f"`{each}`" for each in found)


def _begun_small(text: str) -> str:
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


if __name__ == "__main__":
    QUERIES.write_text(queries_page(), encoding="utf-8")
    PAGE.write_text(page_with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
