"""What a process shows to Prometheus: its counters carry which life of the process they are of.

A replica that was replaced often gets the address of the one before it, and then the series of both are one to
Prometheus. When it has not looked for a while, nobody can tell what a counter that stood at 5 and stands at 8 has
counted meanwhile: 3, or 8. With a label of its own each process begins new series.
"""

import secrets
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Metric, generate_latest

LIFE = secrets.token_hex(4)
"""This process, and no other."""
_ADD_UP = ("counter", "histogram", "summary")


class _Lived(CollectorRegistry):
    """The metrics of another registry, those that add up with the label `life`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            if metric.type in _ADD_UP:
                metric.samples = [sample._replace(labels={**sample.labels, "life": LIFE}) for sample in metric.samples]
            yield metric


def exposition(registry: CollectorRegistry) -> bytes:
    """Return the metrics of a registry as Prometheus reads them."""
    return generate_latest(_Lived(registry))
