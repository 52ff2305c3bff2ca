"""`${NAME}` and .env files are read as compose reads them, and no message shows a value."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.compose.env_file import read_env_file
from ops.compose.interpolation import InterpolationError, Variables
from ops.errors import OperationError

VALUES = {"A": "one", "EMPTY": "", "B": "two"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A-${B}", "one-two"),
        ("${A:-x}${EMPTY:-x}${EMPTY-x}${NONE-x}${NONE:-x}", "onexxx"),
        ("${A:+x}${EMPTY:+x}${EMPTY+x}${NONE+x}", "xx"),
        ("${A:?no}${A?no}${EMPTY?no}", "oneone"),
        ("${NONE:-${EMPTY:-${B}}}!", "two!"),
        ("${NONE:-}", ""),
        ("${NONE:-a}b}", "ab}"),
        ("$$A $${A}", "$A ${A}"),
        ("${NONE:-postgresql://u:p%40w@h:5432/d?a=b&c=d}", "postgresql://u:p%40w@h:5432/d?a=b&c=d"),
        ("no variable", "no variable"),
        ("5$ $1 $-$", "5$ $1 $-$"),
    ],
)
def test_what_a_text_becomes(text: str, expected: str) -> None:
    assert Variables(VALUES).expand(text) == expected


@pytest.mark.parametrize("text", ["${A", "${}", "${A!x}", "${NONE:?needed}", "${EMPTY:?}", "${A:-${B}"])
def test_what_is_written_wrongly_or_required(text: str) -> None:
    with pytest.raises(InterpolationError):
        Variables(VALUES).expand(text)


def test_unknown_are_those_without_default() -> None:
    variables = Variables(VALUES)
    variables.expand("${NONE} $NOBODY ${OTHER:-x} ${A}")
    assert variables.unknown == {"NONE", "NOBODY"}


@given(st.text())
def test_any_text_comes_back_when_its_dollars_are_doubled(text: str) -> None:
    assert Variables({}).expand(text.replace("$", "$$")) == text


def env(folder: Path, text: str, *, raw: bool = False, **shell: str) -> dict[str, str]:
    path = folder / ".env"
    path.write_text(text, encoding="utf-8", newline="")
    return read_env_file(path, shell, raw=raw)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=b", {"A": "b"}),
        ("\ufeffA=b\r\nC=d\r\n", {"A": "b", "C": "d"}),
        ("# no\n\n  A = b # yes\nB=#x", {"A": "b", "B": "#x"}),
        ("export A=b", {"A": "b"}),
        ("A: b", {"A": "b"}),
        ("A='$x \"y\" # z'", {"A": '$x "y" # z'}),
        ('A="x\\ny" # z\nB=1', {"A": "x\ny", "B": "1"}),
        ('A="one\ntwo"\nB=3', {"A": "one\ntwo", "B": "3"}),
        ('A="say \\"hi\\" for \\$5"', {"A": 'say "hi" for $5'}),
        ("A='it\\'s'", {"A": "it's"}),
        ("A=1\nB=${A}2\nC=${NONE:-x}", {"A": "1", "B": "12", "C": "x"}),
        ("A=pa$$word", {"A": "pa$word"}),
        ("A=pa$1!$", {"A": "pa$1!$"}),
        ("A=\nB=", {"A": "", "B": ""}),
        ("SHELL_HAS\nNOBODY", {"SHELL_HAS": "s"}),
        ("B=${SHELL_HAS}", {"B": "s"}),
        ("a.b-c=1", {"a.b-c": "1"}),
        ("A=x y z", {"A": "x y z"}),
        ("A=https://h/#part", {"A": "https://h/#part"}),
        ("", {}),
    ],
)
def test_an_env_file(tmp_path: Path, text: str, expected: dict[str, str]) -> None:
    assert env(tmp_path, text, SHELL_HAS="s") == expected


def test_raw_is_taken_as_it_stands(tmp_path: Path) -> None:
    assert env(tmp_path, "A='x' # $y\n", raw=True) == {"A": "'x' # $y"}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("A=1\nsome hunter2 words", ":2: should be NAME=value"),
        ("A=1\nB='hunter2\nC=3", ":2: the value of B has no closing '"),
        ("A=hunter2${", ":1: has a ${ without its }"),
        ("A='x' hunter2", ":1: the value of A goes on after its closing '"),
        ("=hunter2", ":1: should be NAME=value"),
    ],
)
def test_a_mistake_is_named_by_its_line_and_never_by_its_value(tmp_path: Path, text: str, where: str) -> None:
    with pytest.raises(OperationError) as caught:
        env(tmp_path, text)
    assert caught.value.message.startswith(f".env{where}")
    assert "hunter2" not in caught.value.render()
