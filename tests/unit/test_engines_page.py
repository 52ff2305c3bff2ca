"""docs/ENGINES.md has what the tests of engines noted, and each of these tests has a column."""

import json
from pathlib import Path

import pytest

from docs import engines as page
from testing import dockerd, engine_results
from testing.engine_results import Row
from testing.engines import ENGINES
from tests.engines import test_stack as stack_tests
from toolchain import paths, versions

OURS = Row("28.5.2", "1.51", "containerd", "our build of 5.2.0")
OLD = Row("20.10.24", "1.41", "classic", "our build of 5.2.0")


def test_the_page_has_the_table_of_the_noted_outcomes() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.with_table(text, engine_results.read(page.DATA)) == text, "run: python -m docs.engines"


def test_each_test_has_a_column() -> None:
    assert list(page.COLUMNS) == [name for name in vars(stack_tests) if name.startswith("test_")]


def test_the_page_names_each_engine_with_its_stores() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    for engine in ENGINES.values():
        row = next(line for line in text.splitlines() if line.startswith(f"| {engine.name} |"))
        assert row.endswith(f"| {', '.join(engine.stores)} |")


def test_the_built_engine_is_pinned() -> None:
    modules = (paths.ROOT / "testing" / "dockerd" / "go.mod").read_text(encoding="utf-8")
    for name in dockerd.COMMANDS:
        assert f"github.com/moby/moby/v2/cmd/{name}\n" in modules
    assert dockerd.version() in str(dockerd.folder())
    assert dockerd.version().startswith("v2.")


def test_a_table_says_of_each_test_how_it_ended_and_what_was_not_run() -> None:
    rows = {OURS.key: {"test_verify": True, "test_down": False}, OLD.key: dict.fromkeys(page.COLUMNS, True)}
    _, _, old, ours, official = page.table(rows).splitlines()
    assert old == f"| 20.10.24 | 1.41 | classic | our build of 5.2.0 | {' | '.join(['passed'] * len(page.COLUMNS))} |"
    assert (ours.count("passed"), ours.count("**failed**"), ours.count("not run")) == (1, 1, len(page.COLUMNS) - 2)
    assert official.count("not run here") == len(page.COLUMNS)
    official_row = Row("29", "1.56", "classic", page.OFFICIAL)
    assert "not run here" not in page.table({official_row.key: {}})


def test_a_page_without_a_place_for_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a place for the table"):
        page.with_table("# Engines\n", {})


def test_later_outcomes_replace_earlier_ones_test_by_test() -> None:
    before = {"a": {"test_verify": True, "test_down": True}, "b": {"test_down": True}}
    noted = {"a": {"test_down": False}, "c": {"test_down": True}}
    assert page.merged(before, noted) == {
        "a": {"test_verify": True, "test_down": False},
        "b": {"test_down": True},
        "c": {"test_down": True},
    }


class Engine:
    """Answers as docker-py does for an engine with one of the two image stores."""

    def __init__(self, status: list[list[str]]) -> None:
        self._status = status

    def version(self) -> dict[str, str]:
        return {"Version": "28.5.2", "ApiVersion": "1.51"}

    def info(self) -> dict[str, object]:
        return {"DriverStatus": self._status}


@pytest.mark.parametrize(
    ("status", "store"),
    [([["driver-type", "io.containerd.snapshotter.v1"]], "containerd"), ([["Backing Filesystem", "extfs"]], "classic")],
)
@pytest.mark.parametrize(
    ("binary", "plugin"), [(b"of friday-litellm/toolchain/docker-provider", "our build of"), (b"", "official")]
)
def test_an_outcome_is_noted_with_the_engine_its_store_and_the_plugin(
    status: list[list[str]], store: str, binary: bytes, plugin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRIDAY_STATE_DIR", str(tmp_path))
    monkeypatch.setattr("toolchain.paths.pulumi_home", lambda: tmp_path)
    folder = tmp_path / "plugins" / f"resource-docker-v{versions.DOCKER_PROVIDER}"
    folder.mkdir(parents=True)
    (folder / "pulumi-resource-docker").write_bytes(binary)
    engine_results.note(Engine(status), "test_verify", True)  # type: ignore[arg-type]
    engine_results.note(Engine(status), "test_down", False)  # type: ignore[arg-type]
    (key, noted), *_ = json.loads(engine_results.path().read_text()).items()
    row = Row.of(key)
    assert (row.engine, row.api, row.store) == ("28.5.2", "1.51", store)
    assert row.plugin.startswith(plugin)
    assert noted == {"test_verify": True, "test_down": False}
