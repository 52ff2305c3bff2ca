"""Compose files that tests write, and what became of them."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from ops.compose.adoption import Adoption, adopted

EVERYWHERE = "0.0.0.0"  # noqa: S104 - where compose publishes
DATABASE = """
  db:
    image: postgres:15
"""
APP = """
    services:
      friday:
        image: registry.example/friday:1
        ports: ["3000:3000"]
"""


def written(folder: Path, text: str, **files: str) -> Path:
    """Write a compose file, and others beside it by their names (`env` is .env); return where it is."""
    for name, content in files.items():
        (folder / f".{name.replace('_', '.')}").write_text(dedent(content), encoding="utf-8")
    path = folder / "compose.yml"
    path.write_text(dedent(text), encoding="utf-8")
    return path


def adopt(
    folder: Path, text: str, *, service: str = "", environ: Mapping[str, str] | None = None, **files: str
) -> Adoption:
    """Read a compose file as `fridayctl adopt` does."""
    return adopted(written(folder, text, **files), None, service, environ or {})


def of(folder: Path, lines: str, *, more: str = "", **files: str) -> Adoption:
    """Adopt a service `friday` of an image with these lines; `more` are other services and top-level keys."""
    body = "".join(f"    {line}\n" for line in dedent(lines).strip("\n").splitlines())
    text = f"services:\n  friday:\n    image: registry.example/friday:1\n{body}{more}"
    return adopted(written(folder, text, **files), None, "", {})


def not_placed(found: Adoption) -> dict[str, str]:
    """Return why each thing has no place, by its name."""
    return {each.what: each.why for each in found.not_placed}
