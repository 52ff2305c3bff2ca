"""A history as Pulumi's library reports it, and the one message for a history that cannot be read."""

import datetime as dt
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation as auto

from ops.errors import EXIT_USAGE, OperationError
from ops.stacks.stacks import read_history

GOOD = {"kind": "update", "startTime": 1, "endTime": 2, "message": "up: 10 %", "config": {}, "result": "succeeded"}


def opened(history: Any) -> Any:
    workspace = SimpleNamespace(project_settings=lambda: SimpleNamespace(name="friday-litellm"))
    return SimpleNamespace(name="t", workspace=workspace, history=history)


def summary(**changed: Any) -> auto.UpdateSummary:
    usual: dict[str, Any] = {
        "kind": "update",
        "start_time": dt.datetime(2026, 11, 29, 8),
        "message": "up: 10 %",
        "environment": {"git.head": "abc", "git.dirty": "true"},
        "config": {"a:b": {"secret": False, "value": "1"}, "a:key": {"secret": True}},
        "result": "succeeded",
        "resource_changes": {"same": 3, "create": 2},
    }
    return auto.UpdateSummary(**{**usual, **changed})


def test_an_entry_holds_names_of_secrets_and_no_values() -> None:
    [entry] = read_history(opened(lambda **_: [summary()]))
    assert (entry.config, entry.secrets) == ({"a:b": "1"}, ("a:key",))
    assert (entry.commit, entry.dirty, entry.changes) == ("abc", True, 2)
    assert (entry.started, entry.ended) == (dt.datetime(2026, 11, 29, 8, tzinfo=dt.UTC), None)


def test_an_entry_of_another_machine_may_lack_what_is_known_of_it() -> None:
    [entry] = read_history(opened(lambda **_: [summary(environment=None, resource_changes=None)]))
    assert (entry.commit, entry.dirty, entry.changes) == (None, False, 0)


@pytest.mark.parametrize("content", ["", json.dumps(GOOD)[:40], "[]", "{}", '{"kind": "update"}', "\0"])
@pytest.mark.parametrize("error", [auto.CommandError(auto.CommandResult("", "error: JSON", 255)), KeyError("result")])
def test_a_file_that_cannot_be_read_is_named(
    content: str, error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", tmp_path.as_uri())
    folder = tmp_path / ".pulumi" / "history" / "friday-litellm" / "t"
    folder.mkdir(parents=True)
    (folder / "t-1.history.json").write_text(json.dumps(GOOD))
    (folder / "t-2.history.json").write_text(content)

    def refuse(**_: Any) -> Any:
        raise error

    with pytest.raises(OperationError, match=f"the history of t cannot be read: {folder}/t-2.history.json$") as caught:
        read_history(opened(refuse))
    assert caught.value.exit_code == EXIT_USAGE
    assert "move a file that is damaged away" in caught.value.fix


@pytest.mark.parametrize("odd", [{"kind": None}, {"result": 7}, {"message": None}])
def test_an_entry_that_is_none_of_pulumis_is_one_message(odd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://states")
    made = summary()
    vars(made).update(odd)
    with pytest.raises(OperationError) as caught:
        read_history(opened(lambda **_: [made]))
    assert caught.value.exit_code == EXIT_USAGE
