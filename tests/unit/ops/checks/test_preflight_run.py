"""What becomes of what preflight found: the report that is printed, and whether an update may begin."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.main import main
from components.connection import PROVIDER
from components.settings.stack import StackSettings
from ops.checks.preflight import facts, run
from ops.checks.preflight.facts import Facts
from ops.checks.preflight.run import Examination
from ops.checks.preflight.upstream import Upstream
from ops.checks.report import Check, State
from ops.checks.report import Report as Checks
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts import images
from ops.metrics.openrouter import Listed
from ops.stacks import pulumi_files
from ops.stacks.pulumi_files import Resource
from tests.unit.given import settings
from tests.unit.ops import preflight_hosts
from tests.unit.ops.deployed import Played
from tests.unit.ops.engine import engine
from tests.unit.ops.preflight_hosts import deployment, every_image

local, built_here, history = preflight_hosts.local, preflight_hosts.built_here, preflight_hosts.history
FAR = "ssh://deploy@h.example"


def test_the_command_prints_each_host_and_ends_with_2_when_a_check_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = Facts("t", settings(), [], {})
    checks = [
        Check("reachable", FAR, State.FAILED, f"{FAR}: cannot be reached", "look at it", "  ssh | refused"),
        Check("swarm", FAR, State.SKIPPED, "the host is not reached"),
        Check("catalogue", "", State.WARNING, "a model retires", "replace it"),
        Check("secrets", "", State.OK, "all set"),
    ]
    Played().everywhere(monkeypatch)
    monkeypatch.setattr(run, "examine", lambda _: Examination(Checks("t", checks), nothing))
    assert main(["preflight", "t"]) == EXIT_USAGE
    text = capsys.readouterr().out
    assert text.splitlines() == [
        FAR,
        "  FAIL  reachable             cannot be reached",
        "                              ssh | refused",
        "                              fix: look at it",
        "  --    swarm                 the host is not reached",
        "t",
        "  warn  catalogue             a model retires",
        "                              fix: replace it",
        "  ok    secrets               all set",
        "t: 4 checks, 1 failed, 1 to look at",
    ]
    monkeypatch.setattr(run, "examine", lambda _: Examination(Checks("t", checks[2:]), nothing))
    assert main(["preflight", "t", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], [check["state"] for check in document["checks"]]) == (True, ["warning", "ok"])


@pytest.mark.usefixtures("built_here")
def test_an_update_may_begin_with_the_engine_that_was_asked(
    local: StackSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = "registry.example/friday@sha256:" + "0" * 64
    far = local.model_copy(update={"friday": local.friday.model_copy(update={"image": named})})
    offered = {f"/distribution/{named}/json": {"Platforms": [{"architecture": "amd64"}], "Descriptor": {}}}
    pulled: list[tuple[str, str]] = []
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(images, "pull", lambda need, host: pulled.append((need.reference, host.address)))
    with engine(tmp_path / "docker.sock", {**every_image(), **offered}):
        played = deployment(far, lambda *words: told.append(words))
        examined = run.before_update(played, upstream=True)
        examined.report.require()
        examined.pull_missing(played)
        checks = run.examine(deployment(local)).report.checks
        assert {check.state for check in checks if check.name != "clock"} <= {State.OK, State.SKIPPED}
    assert pulled == [(named, local.docker_host)]
    assert told == [("images", f"{local.docker_host}: pulling {named}")]


@pytest.mark.usefixtures("built_here")
def test_a_stack_on_another_machine_is_refused_before_an_update(
    local: StackSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = {"host": f"unix://{tmp_path / 'old.sock'}"}
    provider = Resource.model_validate({"urn": "urn:p", "type": PROVIDER, "inputs": inputs})
    network = Resource.model_validate({"urn": "urn:n", "type": "docker:index/network:Network", "id": "n"})
    monkeypatch.setattr(run, "open_known", lambda _: "opened")
    monkeypatch.setattr(run, "newer_pulumi_of", lambda _: None)
    monkeypatch.setattr(pulumi_files, "resources", lambda _: [provider, network])
    with engine(tmp_path / "docker.sock", {**every_image(), "/networks": []}):
        first, *_ = run.before_update(deployment(local), upstream=False).report.checks
    assert (first.name, first.state) == ("machine", State.FAILED)
    assert "old.sock -s t && ./fridayctl down t" in first.fix
    assert "does not answer" in first.details


@pytest.mark.parametrize(
    ("opened", "state", "words"),
    [(None, State.OK, "or on none yet"), (OperationError("the state of t is cut short", "look"), State.SKIPPED, "cut")],
)
@pytest.mark.usefixtures("built_here")
def test_a_stack_that_is_nowhere_yet_or_not_known_is_not_refused(
    opened: Exception | None,
    state: State,
    words: str,
    local: StackSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def known(_: str) -> None:
        if opened:
            raise opened

    monkeypatch.setattr(run, "open_known", known)
    with engine(tmp_path / "docker.sock"):
        machine, recorded = run._machine(deployment(local))
    assert [(each.name, each.state) for each in (machine, recorded)] == [("machine", state), ("state", state)]
    assert words in machine.found


@pytest.mark.usefixtures("built_here")
def test_an_update_that_is_refused_pulls_nothing(
    local: StackSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "pull", lambda *_: pytest.fail("pulled"))
    published = [{"Names": ["/web"], "Labels": {}, "Ports": [{"PublicPort": local.edge.port}]}]
    with (
        engine(tmp_path / "docker.sock", {"/containers/json": published}),
        pytest.raises(OperationError, match="the container web") as caught,
    ):
        run.before_update(deployment(local), upstream=True).report.require()
    assert "lacks images" in caught.value.message
    assert caught.value.exit_code == EXIT_USAGE


@pytest.mark.usefixtures("built_here")
def test_a_warning_is_told_and_hinders_no_update(
    local: StackSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = {
        model.id: Listed(id=model.id, pricing={"prompt": "0", "completion": "0"}, expiration_date="soon")
        for model in local.models
    }
    monkeypatch.setattr(facts, "learn", lambda *_: Upstream(datetime.now(UTC), listed, {}))
    with engine(tmp_path / "docker.sock", every_image()):
        report = run.before_update(deployment(local), upstream=True).report
        assert (len(report.warnings), report.failed) == (len(listed), [])
        report.require()
        monkeypatch.setattr(facts, "learn", lambda *_: pytest.fail("asked"))
        assert run.before_update(deployment(local), upstream=False).report.warnings == []
