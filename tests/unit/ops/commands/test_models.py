"""The live catalogue beside a stack's models, and what could take the place of those that are gone."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from components.catalogue import default_models
from components.settings.source import from_stack_file
from components.settings.stack import StackSettings
from ops.commands import models
from ops.commands.models import DIRECT, Live, ModelRow, ask, rows
from ops.commands.suggest_models import Suggestion, suggest
from ops.errors import EXIT_USAGE, OperationError
from ops.metrics.openrouter import Listed
from ops.metrics.server import SilentError
from tests.unit.given import SECRETS, settings, stack_file
from tests.unit.ops.deployed import Played

TODAY = dt.date(2026, 11, 30)
FREE = {"prompt": "0", "completion": "0"}
ALL = ["tools", "response_format", "structured_outputs"]
FIRST, DIRECT_ID = "google/gemma-4-31b-it:free", "google/gemma-4-26b-a4b-it:free"


def entry(model: str, **fields: Any) -> Listed:
    inputs, outputs = fields.pop("inputs", ["text"]), fields.pop("outputs", ["text"])
    architecture = {"input_modalities": inputs, "output_modalities": outputs}
    told = {"pricing": FREE, "context_length": 8192, "supported_parameters": ALL, "architecture": architecture}
    return Listed(id=model, **{**told, **fields})


OTHERS = {
    "a/small:free": entry("a/small:free"),
    "b/seeing:free": entry("b/seeing:free", inputs=["text", "image"], context_length=4096),
    "c/paid": entry("c/paid", pricing={"prompt": "1", "completion": "1"}, context_length=10**6),
    "d/priced:free": entry("d/priced:free", pricing={**FREE, "request": "0.1"}, context_length=10**6),
    "e/leaving:free": entry("e/leaving:free", expiration_date="2027-06-01", context_length=10**6),
    "f/painter:free": entry("f/painter:free", outputs=["image"], context_length=10**6),
    "openrouter/free": entry("openrouter/free", context_length=10**6),
}


def live(
    changed: Mapping[str, Mapping[str, Any]] | None = None, *, gone: str = "", deleting: frozenset[str] | None = None
) -> Live:
    stock = {model.id: entry(model.id, inputs=["text", "image"], context_length=1) for model in default_models()}
    found = {**stock, **OTHERS}
    for model, fields in (changed or {}).items():
        found[model] = entry(model, **fields)
    found.pop(gone, None)
    return Live(TODAY, found, deleting)


def row(found: Live, model: str, chosen: StackSettings | None = None) -> ModelRow:
    return next(each for each in rows(chosen or settings(), found) if each.id == model)


def test_the_stacks_models_come_first_then_the_other_free_ones() -> None:
    found = [each.id for each in rows(settings(), live())]
    own = [model.id for model in default_models()]
    assert found == [*own, "a/small:free", "b/seeing:free", "e/leaving:free", "openrouter/free"]
    assert row(live(), DIRECT_ID).used == ("gemma-4-26b", DIRECT)
    assert row(live(), "e/leaving:free").retires == "2027-06-01"
    assert all(each.problem == "" for each in rows(settings(), live()))


def test_a_model_shows_what_it_takes_and_what_its_provider_keeps() -> None:
    found = live(deleting=frozenset({"a/small:free", FIRST}))
    assert row(found, "b/seeing:free").takes == ("image", *ALL)
    assert row(found, "a/small:free").context_tokens == 8192
    prompts = {each.id: each.prompts for each in rows(settings(), found)}
    assert (prompts["a/small:free"], prompts[FIRST]) == ("deleted", "deleted")
    assert (prompts[DIRECT_ID], prompts["b/seeing:free"]) == ("kept", None)


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (live(gone=FIRST), "is not in OpenRouter's catalogue"),
        (live({FIRST: {"pricing": {**FREE, "request": "1"}}}), "it costs money"),
        (live({FIRST: {"expiration_date": "2026-12-02"}}), "retires on 2026-12-02, in 2 days"),
    ],
)
def test_a_model_that_cannot_stay_says_why(found: Live, problem: str) -> None:
    assert problem in row(found, FIRST).problem


def test_a_data_policy_closes_models_unless_openrouter_says_that_they_keep_nothing() -> None:
    chosen = settings(dataPolicy={"zdr": True})
    assert row(live(), FIRST, chosen).problem == "dataPolicy.zdr: true leaves no provider for it"
    assert row(live(deleting=frozenset({FIRST})), FIRST, chosen).problem == ""
    assert row(live(), "minimax/minimax-m3:free", chosen).problem == ""  # nobody knows what its provider does
    assert "leaves no provider" in row(live(deleting=frozenset({FIRST})), "minimax/minimax-m3:free", chosen).problem


def suggested(tmp_path: Path, found: Live, **config: Any) -> tuple[Suggestion, StackSettings]:
    """Return the suggestion for a stack file, and the settings of the file once the diff is applied."""
    path = stack_file(tmp_path, config)
    text = path.read_text()
    made = suggest("t", text, from_stack_file(path, SECRETS), found)
    path.write_text(_applied(text, made.diff))
    return made, from_stack_file(path, SECRETS)


def _applied(text: str, diff: str) -> str:
    """Apply a diff by the lines that it adds, removes and keeps."""
    lines, at, made = text.splitlines(keepends=True), 0, []
    for line in diff.splitlines(keepends=True)[2:]:
        if line.startswith("@@"):
            start = int(line.split("-")[1].split(",")[0].split(" ")[0]) - 1
            made += lines[at:start]
            at = start
        elif line.startswith("+"):
            made.append(line[1:])
        else:
            made += [lines[at]] if line.startswith(" ") else []
            at += 1
    return "".join(made + lines[at:])


def test_nothing_is_suggested_where_nothing_is_wrong(tmp_path: Path) -> None:
    made, _ = suggested(tmp_path, live())
    assert (made.replacements, made.diff) == ([], "")


def test_a_retired_model_of_the_default_list_is_replaced_under_all_its_names(tmp_path: Path) -> None:
    order = ["minimax-m3", "gemma-4-31b"]
    made, after = suggested(tmp_path, live(gone=FIRST), fallbackOrder=order)
    assert [(each.old, each.used, each.new) for each in made.replacements] == [
        (FIRST, ("gemma-4-31b",), "b/seeing:free")
    ]
    new = after.models[0]
    assert (new.id, new.name, new.takes, new.context_tokens) == ("b/seeing:free", "seeing", ("image", *ALL), 4096)
    assert {*default_models()[0].client_names} <= {*new.client_names}
    assert after.models[1:] == default_models()[1:]
    assert after.fallback_order == ("minimax-m3", "seeing")


def test_a_model_of_ones_own_list_and_the_direct_path_are_replaced_where_they_stand(tmp_path: Path) -> None:
    own = [each.model_dump(by_alias=True, exclude_none=True, mode="json") for each in default_models()]
    made, after = suggested(tmp_path, live(gone=DIRECT_ID), models=own)
    assert [each.used for each in made.replacements] == [("gemma-4-26b", DIRECT)]
    assert after.models[-1].id == after.friday.direct_model == "b/seeing:free"
    assert after.models[:-1] == default_models()[:-1]


def test_each_model_gets_a_replacement_of_its_own_until_there_is_none(tmp_path: Path) -> None:
    priced = {model.id: {"pricing": {"prompt": "1", "completion": "1"}} for model in default_models()[:3]}
    made, after = suggested(tmp_path, live(priced))
    assert [each.new for each in made.replacements] == ["b/seeing:free", "a/small:free", None]
    assert [model.id for model in after.models[:3]] == ["b/seeing:free", "a/small:free", default_models()[2].id]


def test_a_replacement_keeps_to_the_data_policy(tmp_path: Path) -> None:
    kept = frozenset({"a/small:free", DIRECT_ID, *(model.id for model in default_models()[1:])})
    made, after = suggested(tmp_path, live(deleting=kept), dataPolicy={"zdr": True})
    assert [(each.old, each.new) for each in made.replacements] == [(FIRST, "a/small:free")]
    assert after.models[0].prompts == "deleted"
    denied, _ = suggested(tmp_path, live(), dataPolicy={"dataCollection": "deny"})
    assert [each.old for each in denied.replacements] == ["nvidia/nemotron-3-ultra-550b-a55b:free"]


def test_a_name_that_is_taken_gets_its_vendors(tmp_path: Path) -> None:
    changed = {"z/minimax-m3:free": {"inputs": ["text", "image"], "context_length": 10**6}}
    _, after = suggested(tmp_path, live(changed, gone=FIRST))
    assert after.models[0].name == "z-minimax-m3"


def test_the_upstream_is_asked_for_its_models_and_for_those_that_keep_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "catalogue", lambda url, transport: {url: transport})
    monkeypatch.setattr(models, "without_retention", lambda url, transport: frozenset({"x"}))
    found = ask(Played(lambda: settings(upstream="openrouter")))
    assert found.models == {"https://openrouter.ai/api/v1": None}
    assert found.deleting == frozenset({"x"})

    def silent(url: str, transport: object) -> frozenset[str]:
        raise SilentError("no answer")

    monkeypatch.setattr(models, "without_retention", silent)
    assert ask(Played()).deleting is None
    monkeypatch.setattr(models, "catalogue", silent)
    with pytest.raises(OperationError) as caught:
        ask(Played())
    assert (caught.value.exit_code, caught.value.fix) == (EXIT_USAGE, "./fridayctl up t starts the simulator")
