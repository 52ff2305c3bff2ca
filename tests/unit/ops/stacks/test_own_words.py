"""What the program says of its parts while it runs is shown; what plugins say of a container is not."""

from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation as auto

from ops.errors import OperationError
from ops.stacks import pulumi_files, stacks

PART = "urn:pulumi:t::friday-litellm::friday-litellm:components:FridayStack$friday-litellm:components:Friday"


def said(urn: str | None, severity: str = "info", text: str = "waiting for 1 request") -> SimpleNamespace:
    found = SimpleNamespace(urn=urn, severity=severity, message=f" {text}\n")
    return SimpleNamespace(diagnostic_event=found, resource_pre_event=None, res_outputs_event=None)


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (said(f"{PART}::friday"), ["waiting for 1 request"]),
        (said(f"{PART}::friday", "warning"), ["waiting for 1 request"]),
        (said(f"{PART}$docker:index/container:Container::friday-t-friday-1"), []),
        (said(None), []),
    ],
)
def test_only_words_of_the_program_are_shown(
    event: SimpleNamespace, shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def up(on_event: Any, **_: Any) -> SimpleNamespace:
        on_event(event)
        return SimpleNamespace(outputs={}, summary=SimpleNamespace(resource_changes={}))

    monkeypatch.setattr(pulumi_files, "note", lambda *_: None)
    monkeypatch.setattr(pulumi_files, "resources", lambda _: [])
    stack: Any = SimpleNamespace(name="t", up=up)
    lines: list[str] = []
    stacks.update(stack, "why", lines.append)
    assert lines == shown


def test_an_error_that_the_engine_repeats_is_shown_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def up(on_event: Any, **_: Any) -> None:
        for text in ("nobody would serve", "an unhandled error occurred: nobody would serve"):
            on_event(said(None, "error", text))
        raise auto.CommandError(SimpleNamespace(code=1, stdout="", stderr=""))  # type: ignore[arg-type]

    monkeypatch.setattr(pulumi_files, "note", lambda *_: None)
    monkeypatch.setattr(pulumi_files, "resources", lambda _: [])
    stack: Any = SimpleNamespace(name="t", up=up)
    with pytest.raises(OperationError) as caught:
        stacks.update(stack, "why", print)
    assert caught.value.details == "nobody would serve"
