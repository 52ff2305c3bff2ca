"""What the features say to a model, and how label answers are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from friday.service import prompts

ALLOWED = ["Lead", "Booking", "Finance, VAT"]


@pytest.mark.parametrize(
    ("answer", "labels"),
    [
        ('["Booking", "Lead"]', ["Booking", "Lead"]),
        ('Sure:\n```json\n["lead", "LEAD"]\n```', ["Lead"]),
        ('["Finance, VAT"]', ["Finance, VAT"]),
        ('["Spam", 7, "Lead"]', ["Lead"]),
        ("[]", []),
        ("- Lead\n* **Booking**", ["Lead", "Booking"]),
        ("lead, booking.", ["Lead", "Booking"]),
        ("[Lead]", ["Lead"]),
        ("I cannot say.", []),
        ("", []),
    ],
)
def test_labels_are_read_from_what_models_write(answer: str, labels: list[str]) -> None:
    assert prompts.chosen_labels(answer, ALLOWED) == labels


@given(st.text())
def test_a_made_up_label_never_passes(answer: str) -> None:
    found = prompts.chosen_labels(answer, ALLOWED)
    assert set(found) <= set(ALLOWED)
    assert len(found) == len(set(found))


@given(st.text())
def test_a_text_cannot_leave_its_markers(text: str) -> None:
    for messages in (prompts.document("t", text), prompts.summary(text, text), prompts.labels("s", text, ALLOWED)):
        content = messages[1]["content"]
        assert content.count("<<<DATA") == content.count("DATA>>>") == 1
        assert content.endswith("DATA>>>")


def test_a_question_goes_as_it_is() -> None:
    assert prompts.chat("Hi") == [{"role": "user", "content": "Hi"}]


def test_the_labels_are_named() -> None:
    assert '"Finance, VAT"' in prompts.labels("s", "b", ALLOWED)[0]["content"]
