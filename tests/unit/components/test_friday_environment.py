"""One table says which variables Friday reads; whoever else needs to know asks it."""

import pytest
from pydantic import ValidationError

from components import friday_environment
from components.friday_environment import VARIABLES, Variable
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


@pytest.mark.parametrize("name", sorted(friday_environment.RESERVED))
@pytest.mark.parametrize("key", ["environment", "fridaySecrets"])
def test_a_reserved_variable_is_refused(name: str, key: str) -> None:
    given = {name: "x"}
    changes = {"fridaySecrets": given} if key == "fridaySecrets" else {"friday": {"environment": given}}
    with pytest.raises(ValidationError, match=f"without {name}: the stack sets these itself"):
        settings(**changes)


def test_what_the_stack_sets_keeps_every_rule() -> None:
    assert contract([InspectedContainer(STACK, each) for each in replicas(workloads()["friday"])]).problems == ()


@pytest.mark.parametrize("name", [each.name for each in VARIABLES if each.rule or each.required])
def test_a_variable_that_is_missing_breaks_the_contract(name: str) -> None:
    (replica, *_) = replicas(workloads()["friday"])
    set_to = replica["Config"]["Env"]
    set_to[:] = [line for line in set_to if not line.startswith((f"{name}=", f"{name}_FILE="))]
    assert [problem for problem in contract([InspectedContainer(STACK, replica)]).problems if f"{name} " in problem]
