"""Writes a stack's dashboards as files that any Grafana imports."""

from dataclasses import dataclass
from pathlib import Path

from components.dashboards.build import dashboards
from components.dashboards.model import Dashboard
from ops.deployment import Deployment
from ops.errors import unwritable


@dataclass(frozen=True)
class Exported:
    """One dashboard and the file that holds it."""

    title: str
    path: Path


def made(deployment: Deployment) -> dict[str, Dashboard]:
    """Return a stack's dashboards by their names."""
    return dashboards(deployment.name, deployment.settings)


def export(deployment: Deployment, folder: Path) -> list[Exported]:
    """Write a stack's dashboards into a folder, which is made where it is missing; files of their names are replaced.

    Raises OperationError (exit code 2) when the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_written(dashboard, folder / f"{name}.json") for name, dashboard in made(deployment).items()]
    except OSError as error:
        raise unwritable(folder, error) from error


def _written(dashboard: Dashboard, path: Path) -> Exported:
    path.write_text(dashboard.text(), encoding="utf-8")
    return Exported(dashboard.title, path)
