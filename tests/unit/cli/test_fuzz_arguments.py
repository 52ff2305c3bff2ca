"""Command lines with something wrong in them: a usage error with exit code 2, or a command that would begin."""

import contextlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from hypothesis import strategies as st

from cli.main import cli, main
from ops.stacks import stack_file
from tests.unit.mutated import EACH_TIME_AND_MANY, fuzzed

_WORDS = (
    *("local", "prod", "nosuch", "10", "0", "100", "-1", "1e9", "nan", "7d", "0m", "999999d", "litellm", "friday"),
    *(
        "",
        " ",
        "-",
        "--",
        "--=",
        "--help",
        "-h",
        "ä€😀",
        "\udcff",
        "x" * 10_000,
        "../../etc",
        "a b",
        "$(x)",
        "%s",
    ),
    *("--stack", "--json=1", "--wait", "--since", "-o", "/", "https://x", "9" * 400),
)

# No process can be given a NUL, or a surrogate that stands for no byte.
_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


def _leaves(group: click.Group, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        if isinstance(command, click.Group):
            yield from _leaves(command, (*above, name))
        else:
            yield (*above, name), command


LEAVES = dict(_leaves(cli))


@st.composite
def command_lines(draw: st.DrawFn, verbs: list[tuple[str, ...]]) -> list[str]:
    """Return a command with options that it has and words that it may or may not take, in any order."""
    verb = draw(st.sampled_from(verbs))
    own = [name for each in LEAVES[verb].params if isinstance(each, click.Option) for name in each.opts]
    options = st.sampled_from(own) if own else st.sampled_from(_WORDS)
    words = draw(st.lists(st.sampled_from(_WORDS) | options | _TEXT, max_size=6))
    return [*verb, *words]


def _takes_a_stack(command: click.Command) -> bool:
    return any(isinstance(each, click.Argument) and each.name == "stack" for each in command.params)


def run(line: list[str]) -> tuple[int, str]:
    """Return a command line's exit code and what it said on stderr; a traceback fails the test."""
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        code = main(line)
    return code, said.getvalue()


@EACH_TIME_AND_MANY
def test_a_command_line_is_parsed_or_refused_with_2(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click.Command, "invoke", lambda *_: 0)
    codes: list[int] = []

    def check(line: list[str]) -> None:
        code, said = run(line)
        codes.append(code)
        assert (code, bool(said)) in ((0, False), (2, True))

    fuzzed(check, command_lines(list(LEAVES)), many)
    assert set(codes) == {0, 2}


@EACH_TIME_AND_MANY
def test_a_command_on_a_stack_that_is_not_there_ends_with_2_and_writes_nothing(
    many: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(stack_file, "STACKS", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO())  # nobody answers what is asked
    # `up` sets the machine up before it looks for its stack; what needs no stack would begin.
    verbs = [verb for verb, command in LEAVES.items() if verb != ("up",) and _takes_a_stack(command)]
    assert len(verbs) > 12

    def check(line: list[str]) -> None:
        code, said = run(line)
        helped, asked = {"--help", "-h"} & set(line), line[0] == "down"
        assert code == 2 or (code == 0 and helped) or (code == 130 and asked), said
        assert list(tmp_path.iterdir()) == []

    fuzzed(check, command_lines(verbs), many)
