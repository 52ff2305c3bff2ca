"""docs/API.md says what the gateway takes, refuses and answers."""

import re
from pathlib import Path

import pytest

from gateway import chat_fields, policy

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs/API.md").read_text(encoding="utf-8").split("\n## The gateway\n")[1]
REFUSED = TEXT.split("**Everything else is dropped**")[1].split("### Errors")[0]


@pytest.mark.parametrize("name", ["model", *chat_fields.PASSED])
def test_every_field_is_in_the_table(name: str) -> None:
    table = TEXT.split("### Fields")[1].split("`functions` and")[0]
    assert f"`{name}`" in table


@pytest.mark.parametrize("name", sorted({*set().union(*policy.STEERING.values()), *policy.STEERING_PREFIXES}))
def test_every_refused_field_is_named(name: str) -> None:
    assert f"`{name}`" in REFUSED


def test_every_word_of_a_refusal_is_explained() -> None:
    paths = [ROOT / "gateway" / name for name in ("policy.py", "request_body.py", "request_filter.py")]
    raised = re.findall(r"RefusedError\(\s*(\d+), \"(\w+)\"", "".join(path.read_text() for path in paths))
    # What is refused inside LiteLLM is answered in other words; 499 is no answer.
    inside = {"not_clean", "not_free", "foreign_host", "client_closed", "account_data_policy"}
    judged = re.findall(r"\(\s*[45]\d\d,\s*\"(\w+)\"", (ROOT / "gateway/errors.py").read_text())
    codes = {code for _, code in raised} | {*judged}
    codes -= inside
    assert len(codes) > 8
    assert [code for code in sorted(codes) if f"`{code}`" not in TEXT] == []
