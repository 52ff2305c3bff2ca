"""What adds up says which life of its process it is of; what only is, does not."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from serving.exposition import LIFE, exposition


def test_counters_and_histograms_say_their_life_and_gauges_do_not() -> None:
    registry = CollectorRegistry()
    Counter("asked", "-", ["path"], registry=registry).labels("direct").inc(3)
    Histogram("took", "-", buckets=(1,), registry=registry).observe(0.5)
    Gauge("there", "-", registry=registry).set(1)
    for _ in range(2):  # asking changes nothing
        text = exposition(registry).decode()
    found = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }
    life = ("life", LIFE)
    assert found == {
        ("asked_total", frozenset({("path", "direct"), life})): 3,
        ("took_bucket", frozenset({("le", "1.0"), life})): 1,
        ("took_bucket", frozenset({("le", "+Inf"), life})): 1,
        ("took_count", frozenset({life})): 1,
        ("took_sum", frozenset({life})): 0.5,
        ("there", frozenset()): 1,
    }


def test_names_and_help_stay() -> None:
    registry = CollectorRegistry()
    Counter("asked", "How often.", registry=registry)
    text = exposition(registry).decode()
    assert "# HELP asked_total How often.\n# TYPE asked_total counter\n" in text
