"""What preflight says of models that take other things than the settings say, of Friday's names, and of prompts."""

import datetime as dt
from typing import Any

import pytest

from components.catalogue import FRIDAY_DEFAULT, default_models
from ops.checks.preflight import judge_models
from ops.checks.preflight.facts import Facts
from ops.checks.preflight.upstream import NOT_ASKED, Upstream
from ops.checks.report import Check, State
from ops.metrics.openrouter import Listed
from ops.metrics.server import SilentError
from tests.unit.given import settings

NOW = dt.datetime(2026, 11, 24, 23, tzinfo=dt.UTC)
ONE = "google/gemma-4-31b-it:free"
ALL = ["tools", "response_format", "structured_outputs"]


def facts(learned: Upstream = NOT_ASKED, **chosen: Any) -> Facts:
    return Facts("t", settings(**{"upstream": "openrouter", **chosen}), [], {}, learned)


def listed(**fields: Any) -> Listed:
    inputs = fields.pop("inputs", ["text", "image"])
    fields = {"context_length": 262144, "supported_parameters": ["seed", *ALL], **fields}
    return Listed(id=ONE, architecture={"input_modalities": inputs}, **fields)


def about(entry: Listed | None) -> list[Check]:
    models = {} if entry is None else {ONE: entry}
    return list(judge_models.abilities(facts(Upstream(NOW, models))))


@pytest.mark.parametrize(
    "entry",
    [
        None,
        listed(),
        listed(supported_parameters=[*reversed(ALL)]),
        listed(supported_parameters=None),
        listed(inputs="text"),
        listed(context_length="many"),
        listed(context_length=True),
        Listed(id=ONE, architecture="text->text"),
    ],
)
def test_a_model_that_is_as_the_settings_say_or_tells_nothing_is_no_matter(entry: Listed | None) -> None:
    assert about(entry) == []


@pytest.mark.parametrize(
    ("entry", "found", "line"),
    [
        (
            listed(inputs=["text"]),
            "takes tools and response_format and structured_outputs, the settings say image and tools",
            "takes: [tools, response_format, structured_outputs]",
        ),
        (listed(inputs=[], supported_parameters=[]), "takes text alone, the settings say image", "takes: []"),
        (
            listed(context_length=8192),
            "has a context of 8192 tokens, the settings say 262144",
            "contextTokens: 8192",
        ),
    ],
)
def test_a_model_that_takes_other_things_is_told_with_the_line_to_write(entry: Listed, found: str, line: str) -> None:
    (check,) = about(entry)
    assert (check.name, check.state) == ("catalogue", State.WARNING)
    assert check.found.startswith(f"{ONE} (models: gemma-4-31b) {found}")
    assert check.fix.endswith(line)


@pytest.mark.parametrize("learned", [NOT_ASKED, Upstream(NOW, SilentError("-"))])
def test_a_catalogue_that_is_not_known_is_not_compared(learned: Upstream) -> None:
    assert list(judge_models.abilities(facts(learned))) == []


def test_names_of_fridays_that_no_model_answers_to_are_told() -> None:
    assert list(judge_models.names(facts())) == []
    own = [{"name": f"m{n}", "id": f"vendor/m{n}:free"} for n in range(5)]
    (check,) = judge_models.names(facts(models=[{**own[0], "aliases": [FRIDAY_DEFAULT]}, *own[1:]]))
    assert check.state is State.WARNING
    assert "openrouter/moonshotai/kimi-k2:free" in check.found
    assert FRIDAY_DEFAULT not in check.found


def policy(**chosen: Any) -> list[Check]:
    return list(judge_models.data_policy(facts(**chosen)))


def test_what_providers_do_with_prompts_is_told_until_it_is_decided() -> None:
    (check,) = policy()
    assert check.state is State.WARNING
    assert "train on them: nemotron-3-ultra; keep them: gemma-4-31b, gemma-4-26b; do not say: minimax-m3" in check.found
    assert "docs/DATA_POLICY.md" in check.fix
    (decided,) = policy(dataPolicy={"dataCollection": "allow"})
    assert decided.state is State.OK
    assert policy(upstream="simulator") == []


def test_models_whose_providers_delete_prompts_need_no_decision() -> None:
    models = [{**each.model_dump(by_alias=True, exclude_none=True), "prompts": "deleted"} for each in default_models()]
    assert [check.state for check in policy(models=models)] == [State.OK]
    assert policy(models=models, dataPolicy={"dataCollection": "deny"}) == []


def test_the_models_that_a_decision_closes_are_told() -> None:
    (check,) = policy(dataPolicy={"dataCollection": "deny"})
    assert check.found.startswith("dataPolicy.dataCollection: deny leaves no provider for nemotron-3-ultra, ")
    assert check.fix == "./fridayctl models suggest t"
    (both,) = policy(dataPolicy={"dataCollection": "deny", "zdr": True})
    assert "and dataPolicy.zdr: true leaves no provider for gemma-4-31b, nemotron-3-ultra, gemma-4-26b" in both.found


def test_an_image_of_ones_own_does_not_ask_providers_by_itself() -> None:
    image = f"registry.example/friday@sha256:{'0' * 64}"
    checks = policy(friday={"image": image}, dataPolicy={"zdr": True})
    assert [check.state for check in checks] == [State.WARNING, State.WARNING]
    assert "https://openrouter.ai/settings/privacy" in checks[1].fix
