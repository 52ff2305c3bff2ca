"""What an upstream refuses to the account, and what the stack's own data policy closes."""

from __future__ import annotations

import pytest

from gateway.errors import told
from gateway.request_context import RequestContext
from tests.unit.gateway.given_upstream import Given, says, well


def test_a_refused_account_is_noted_with_what_to_change(caplog: pytest.LogCaptureFixture) -> None:
    given, context = Given(says(404, "No endpoints found matching your data policy")), RequestContext()
    given.ask(context=context)
    assert context.account is not None
    assert context.over() == "OpenRouter refuses the account"
    assert (given.refused, given.rests) == (["data_policy"], [])
    assert "openrouter.ai/settings/privacy" in caplog.text


@pytest.mark.parametrize(
    ("message", "headers", "least", "most"),
    [
        ("free-models-per-day", {}, 1, 86_400),
        ("limit_source free_tier_per_minute", {}, 60, 60),
        ("free_tier_per_minute", {"retry-after": "12"}, 12, 12),
    ],
)
def test_a_spent_account_says_for_how_long(message: str, headers: dict[str, str], least: int, most: int) -> None:
    given, context = Given(says(429, message, **headers)), RequestContext()
    given.ask(context=context)
    assert least <= context.quota_wait <= most
    assert given.rests == []


def test_a_model_that_asks_for_credits_rests_when_another_one_answers() -> None:
    given, context = Given(says(402), well), RequestContext()
    given.ask("one:free", "two:free", context=context)
    assert (given.answered, context.account) == (True, None)
    assert (given.rests, given.refused) == ([("one:free", "balance", 60.0)], [])


def test_two_models_that_ask_for_credits_are_the_account() -> None:
    given, context = Given(says(402), says(402)), RequestContext()
    given.ask("one:free", "two:free", context=context)
    assert context.account is not None
    assert (given.rests, given.refused) == ([], ["balance"])


NO_PROVIDER = "No endpoints found matching your data policy (Free model training)."


def test_a_model_that_the_stacks_own_data_policy_closes_rests_and_the_next_is_asked() -> None:
    given, context = Given(says(404, NO_PROVIDER), well, data_policy=["dataPolicy.zdr: true"]), RequestContext()
    (closed,) = given.ask("one:free", "two:free", context=context)
    assert (closed.status_code, given.answered, context.account) == (503, True, None)
    assert (given.refused, [rest[:2] for rest in given.rests]) == ([], [("one:free", "closed_by_data_policy")])


def test_when_it_closes_all_of_them_the_error_names_it() -> None:
    given = Given(*[says(404, NO_PROVIDER)] * 2, data_policy=["dataPolicy.zdr: true"])
    context = RequestContext()
    given.ask("one:free", "two:free", context=context)
    said = told(context, 503)
    assert (said.status, said.code) == (502, "account_data_policy")
    assert "the stack's dataPolicy" in said.message
