"""A real Prometheus over prepared series: hours of traffic are imported as blocks in a moment, none is waited for."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import docker
from docker.models.containers import Container

from images.tags import local_images
from testing.meanwhile import until_answered
from testing.ports import free_ports

SCRAPE_SECONDS = 15
HOUR = 3600
Value = float | Callable[[float], float | None]
"""How far a counter has come by the hour's end, or what a gauge shows at a share (0 to 1) of the hour: None is no
sample."""
Series = Mapping[str, Value]

_IMPORT_AND_SERVE = """
promtool tsdb create-blocks-from openmetrics /prepared/series.txt /tmp/data >/dev/null
exec prometheus --config.file=/prepared/prometheus.yml --storage.tsdb.path=/tmp/data --storage.tsdb.retention.time=10y
"""


def rises(total: float) -> Value:
    """Return a counter that rises steadily from 0 to `total` within the hour."""
    return lambda share: total * share


def ends(number: int) -> int:
    """Return the epoch second at which a prepared hour ends; each has an empty hour before it."""
    # All in the past, and long within the retention time.
    first = int(time.time()) // HOUR * HOUR - 100 * HOUR
    return first + number * 2 * HOUR


@contextmanager
def prepared(folder: Path, hours: Sequence[Series]) -> Iterator[str]:
    """Yield the address of a Prometheus that has seen these hours, one after the other."""
    lines = [line for number, series in enumerate(hours) for line in _lines(series, ends(number))]
    (folder / "series.txt").write_text("\n".join([*lines, "# EOF\n"]), encoding="utf-8")
    (folder / "prometheus.yml").touch()
    [port] = free_ports(1)
    engine = docker.from_env()
    container = engine.containers.run(
        local_images()["prometheus"],
        ["-c", _IMPORT_AND_SERVE],
        entrypoint=["bash", "-e"],
        user="0",
        volumes={str(folder): {"bind": "/prepared", "mode": "ro"}},
        ports={"9090/tcp": ("127.0.0.1", port)},
        detach=True,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        until_answered(f"{url}/-/ready", 120, lambda: _runs(container), lambda: container.logs().decode())
        yield url
    finally:
        container.remove(force=True, v=True)
        engine.close()


def _runs(container: Container) -> bool:
    container.reload()
    return container.status == "running"


def _lines(series: Series, end: int) -> Iterator[str]:
    for name, value in series.items():
        for second in range(0, HOUR + 1, SCRAPE_SECONDS):
            number = value(second / HOUR) if callable(value) else value
            if number is not None:
                yield f"{name} {number:g} {end - HOUR + second}"
