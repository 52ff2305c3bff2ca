"""The keys of the provider's accounts are exchanged while users ask, for right ones and for a wrong one.

The simulator plays an account for each key of the settings, so it would change with them. OpenRouter does not: here it
knows the keys of before and those of after from the beginning.
"""

import time
from collections.abc import Iterator

import httpx
import pytest

from testing.meanwhile import until
from testing.project import Project
from tests.integration.load import Load

pytestmark = [pytest.mark.engine, pytest.mark.beside, pytest.mark.slow]

NAMES = {"openrouterApiKey": "gateway", "fridayOpenrouterApiKey": "friday-direct"}
BEFORE, AFTER = ({name: f"sk-or-v1-{when}-{name}-0123456789" for name in NAMES} for when in ("before", "after"))
KNOWN = "\n".join(
    f"{keys[name]} {NAMES[name]}{mark}" for keys, mark in ((BEFORE, ""), (AFTER, "-new")) for name in NAMES
)
_OWN = '"\\n".join(f"{key.get_secret_value()} {account}" for account, key in keys.items())'
USERS = (7, 70)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = Project.create(tmp_path_factory.mktemp("keys"))
    code = made.root / "components" / "simulator.py"
    text = code.read_text()
    assert _OWN in text
    code.write_text(text.replace(_OWN, repr(KNOWN)))
    made.fridayctl("setup")
    made.pulumi("stack", "init", made.stack)
    made.configure({"litellm": {**made.settings.get("litellm", {}), "replicas": 2}})
    made.give_secrets(BEFORE)
    with made.deployed():
        yield made


def accounts_since(stack: Project, moment: float) -> set[str]:
    """Return the accounts that calls were made for since a moment (epoch, seconds)."""
    url = f"{stack.simulator_url}/admin/requests"
    found = httpx.get(url, params={"since": moment, "limit": 5000}, timeout=10).json()["requests"]
    return {str(record["account"]) for record in found}


def test_both_keys_are_changed_and_no_call_fails(stack: Project) -> None:
    stack.give_secrets(AFTER)
    with Load(stack, per_second=20, users=USERS, seconds=300) as load:
        stack.fridayctl("up", stack.stack, seconds=600)
        changed = time.time()
        time.sleep(2)
    assert load.failures == []
    print(f"0 of {load.asked} failed")
    assert accounts_since(stack, changed) == {"gateway-new", "friday-direct-new"}


def test_a_wrong_key_is_named_and_nobody_is_without_an_answer(stack: Project) -> None:
    stack.give_secrets({"openrouterApiKey": "sk-or-v1-nobody-knows-it-0123456789"})
    with Load(stack, per_second=20, users=USERS, seconds=300) as load:
        said = stack.fridayctl("up", stack.stack, code=1, seconds=600).text
        refused = "warning: OpenRouter refuses the gateway's account"
        until(lambda: refused in stack.fridayctl("status", stack.stack).text, "the account's refusal", 60, every=2)
    assert "user 0 should be answered over litellm (was: fallback)" in said
    assert load.failures == []
    stack.give_secrets(AFTER)
    stack.fridayctl("up", stack.stack, seconds=600)
    assert stack.chat(7).path == "litellm"
