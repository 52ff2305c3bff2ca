"""Valid material with something wrong in it: what a fuzzed test reads, and how many of it."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

QUICK, MANY = 60, 10_000
EACH_TIME_AND_MANY = pytest.mark.parametrize(
    "many",
    [
        pytest.param(QUICK, id="quick"),
        pytest.param(MANY, id="many", marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
    ],
)
"""For a test that takes `many` examples: some in each run, all of them with the slow tests."""

_ODD: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 2**31, 2**64, 10**30, -(2**63), 1e308, float("nan"), float("inf"), float("-inf")),
    *(
        "",
        " ",
        "\0",
        "0",
        "-1",
        "1e999",
        "NaN",
        "null",
        "true",
        "x" * 5_000,
        "ä€😀",
        "\u202e",
        "a\nb",
        "../../x",
        "%s{}",
    ),
    *("2026-13-45T99:99:99Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9" * 400),
    *([], {}, [None], [[]], {"a": {}}, {"": None}, ["x"] * 300),
]


def fuzzed(check: Callable[[Any], None], material: st.SearchStrategy[Any], many: int) -> None:
    """Call `check` with so many examples, the same ones each time; what it raises is a failure, with the example."""
    # A failure is shown small; a slow machine is none.
    run = settings(
        max_examples=many, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run(given(material)(check))()


@st.composite
def mutated(draw: st.DrawFn, valid: Any) -> Any:
    """Return a document of maps and lists with one to three things in it gone, renamed, repeated or of another kind."""
    document = copy.deepcopy(valid)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(document))
        if not places:
            break
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        _change(draw, holder, key, places)
    return document


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    todo = [document]
    while todo:
        holder = todo.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        for key in keys:
            yield holder, key
            todo.append(holder[key])


def _change(draw: st.DrawFn, holder: Any, key: Any, places: list[tuple[Any, Any]]) -> None:
    match draw(st.sampled_from(["other", "other", "gone", "renamed", "moved", "repeated"])):
        case "gone":
            del holder[key]
        case "renamed" if isinstance(holder, dict):
            holder[draw(st.sampled_from([f"{key}x", str(key).upper(), "", "a.b", "ä"]))] = holder.pop(key)
        case "repeated" if isinstance(holder, list):
            holder.extend([copy.deepcopy(holder[key])] * draw(st.sampled_from([1, 2, 50])))
        case "moved":
            source, name = places[draw(st.integers(0, len(places) - 1))]
            holder[key] = copy.deepcopy(source[name])
        case _:
            holder[key] = copy.deepcopy(draw(st.sampled_from(_ODD)))


@st.composite
def damaged(draw: st.DrawFn, texts: st.SearchStrategy[str], *, deep: bool = True) -> bytes:
    """Return a text as the bytes of a file: mostly as it is, else cut, doubled, in another encoding, or no text.

    Some are nested beyond what Python follows, with `deep`.
    """
    text = draw(texts)
    whole = text.encode("utf-8", "surrogatepass")
    place = draw(st.integers(0, len(whole)))
    before, after = whole[:place], whole[place:]
    forms = {
        "cut": before,
        "doubled": whole + whole,
        "utf-16": text.encode("utf-16", "surrogatepass"),
        "byte order mark": b"\xef\xbb\xbf" + whole,
        "latin-1": before + b"\xe4\xff" + after,
        "nul": before + b"\0" + after,
        **({"deep": before + b"[" * 5_000 + after} if deep else {}),
    }
    return forms.get(draw(st.sampled_from(["whole"] * 8 + list(forms))), whole)
