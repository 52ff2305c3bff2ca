"""One table says which variables Friday reads; whoever else needs to know asks it."""

from typing import Any

import pytest
from pydantic import ValidationError

from components import friday_environment
from components.friday_environment import VARIABLES, Variable
from components.stack import summary
from ops.checks.verify.containers import InspectedContainer, contract
from tests.unit.declared import by_part, declare, env
from tests.unit.given import LOCAL, settings
from tests.unit.ops.checks.verify.inspected import STACK, replicas, workloads


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
@pytest.mark.parametrize("image", [None, "registry.example/friday:1"], ids=["reference", "own image"])
def test_what_the_stack_sets_is_in_the_container(variable: Variable, image: str | None) -> None:
    found = env(by_part(declare(settings(friday={**LOCAL["friday"], "image": image})))["friday"][0])
    named = f"{variable.name}_FILE" if variable.secret and image is None else variable.name
    # The edge adds the key; without dataPolicy nothing is asked of providers.
    assert (named in found) is (variable.name != "LITELLM_MASTER_KEY" and not variable.optional)


def test_what_providers_may_do_with_prompts_is_asked_on_the_direct_path_too() -> None:
    found = env(by_part(declare(settings(dataPolicy={"dataCollection": "deny", "zdr": True})))["friday"][0])
    assert (found["OPENROUTER_DATA_COLLECTION"], found["OPENROUTER_ZDR"]) == ("deny", "true")


def test_testers_are_in_the_environment_of_a_stack_that_names_some_and_verified_there() -> None:
    found = env(by_part(declare(settings(testers=[7, 70])))["friday"][0])
    assert found["LITELLM_TESTERS"] == "7,70"
    (replica, *_) = replicas(workloads(testers=[7, 70])["friday"])
    assert contract([InspectedContainer(STACK, replica)]).problems == ()
    replica["Config"]["Env"] = [line.replace("=7,70", "=all") for line in replica["Config"]["Env"]]
    (problem,) = contract([InspectedContainer(STACK, replica)]).problems
    assert "LITELLM_TESTERS should be user ids with commas (is 'all')" in problem


@pytest.mark.parametrize(
    ("changes", "compares"),
    [
        ({"testers": [7], "compareTesters": True}, True),
        ({"testers": [7]}, False),
        ({"compareTesters": True}, False),
    ],
)
def test_testers_compare_where_a_stack_says_so(changes: dict[str, Any], compares: bool) -> None:
    found = env(by_part(declare(settings(**changes)))["friday"][0])
    assert found.get("LITELLM_COMPARE_TESTERS") == ("true" if compares else None)


@pytest.mark.parametrize(
    ("changes", "uses"),
    [
        ({"rolloutPercentage": 0, "testers": [7]}, True),
        ({"rolloutPercentage": 0, "testers": [7], "litellmEnabled": False}, False),
        ({"rolloutPercentage": 0}, False),
        ({"rolloutPercentage": 1}, True),
    ],
)
def test_the_gateway_is_used_by_a_share_or_by_testers(changes: dict[str, Any], uses: bool) -> None:
    found = settings(**changes)
    assert found.uses_gateway is uses
    assert summary(found).get("testers") == ([7] if uses and "testers" in changes else None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"testers": [7, 7]}, "testers should name each user once .got 7 twice."),
        ({"testers": [-1]}, "greater than or equal to 0"),
        ({"testers": [True]}, "true and false are not numbers"),
        ({"testers": [7], "rolloutPercentage": 0, "litellm": {"replicas": 0}}, "replicas should be 1 or more"),
    ],
)
def test_testers_who_cannot_be_sent_there_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings(**changes)


@pytest.mark.parametrize("name", sorted(friday_environment.RESERVED))
@pytest.mark.parametrize("key", ["environment", "fridaySecrets"])
def test_a_reserved_variable_is_refused(name: str, key: str) -> None:
    given = {name: "x"}
    changes = {"fridaySecrets": given} if key == "fridaySecrets" else {"friday": {"environment": given}}
    with pytest.raises(ValidationError, match=f"without {name}: the stack sets these itself"):
        settings(**changes)


def test_what_the_stack_sets_keeps_every_rule() -> None:
    assert contract([InspectedContainer(STACK, each) for each in replicas(workloads()["friday"])]).problems == ()


@pytest.mark.parametrize(
    "name", [each.name for each in VARIABLES if (each.rule or each.required) and not each.optional]
)
def test_a_variable_that_is_missing_breaks_the_contract(name: str) -> None:
    (replica, *_) = replicas(workloads()["friday"])
    set_to = replica["Config"]["Env"]
    set_to[:] = [line for line in set_to if not line.startswith((f"{name}=", f"{name}_FILE="))]
    assert [problem for problem in contract([InspectedContainer(STACK, replica)]).problems if f"{name} " in problem]
