"""Promotions that may not be made now, and what is asked of the operator first."""

import sys
from types import SimpleNamespace
from typing import Any

import click
import pytest

from cli.main import main
from ops.errors import EXIT_USAGE
from ops.rollout.history import ENABLED, PERCENTAGE
from tests.unit.ops.evidence import sound
from tests.unit.ops.promotion import World, ago, run


@pytest.mark.parametrize(
    ("entries", "arguments", "words"),
    [
        ([], (), "t is not deployed"),
        ([(1, 10)], (), "the soak is not over: 46 h"),
        ([(50, 100)], (), "100 % is the last step"),
        ([(50, 10)], ("--to", "100"), "out of order"),
        ([(50, 10)], ("--to", "10", "--reason", "again"), "not above"),
        ([(1, 10, "pause: 10 %: holidays"), (50, 10)], ("--reason", "now"), "paused since"),
    ],
)
def test_a_step_that_may_not_be_made_now_is_refused_before_anything_is_asked(
    world: World,
    entries: list[tuple[Any, ...]],
    arguments: tuple[str, ...],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world.entries = [ago(*each) for each in entries]
    assert run(*arguments) == EXIT_USAGE
    error = capsys.readouterr().err
    assert words in error
    assert "fix: " in error


def test_a_reason_overrules_order_and_soak_and_stays_in_the_history(world: World) -> None:
    world.entries = [ago(1, 10)]
    assert run("--to", "100", "--reason", "launch") == 0
    assert world.entries[0].message.endswith(": launch")
    assert world.entries[0].percentage == 100


def test_settings_that_are_not_deployed_are_not_smuggled_in(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    another_operators = {"friday-litellm:ssh": '{"identityFile": "/home/second/key"}'}
    world.file |= {"friday-litellm:litellm": '{"replicas": 3}', "friday-litellm:gates": "{}", **another_operators}
    assert run() == EXIT_USAGE
    error = capsys.readouterr().err
    assert "differs from what is deployed in friday-litellm:litellm" in error
    assert "gates" not in error
    assert "ssh" not in error


def test_a_failing_preflight_refuses(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.preflight_fails = True
    assert run() == EXIT_USAGE
    assert "a model is retired" in capsys.readouterr().err


def test_from_0_percent_the_message_says_what_was_skipped(world: World) -> None:
    world.entries, world.file = [ago(50, 0)], {PERCENTAGE: "0"}
    assert run() == 0
    assert world.entries[0].message == (
        "promote: 0 -> 10 %, gates passed (metrics, gateway, errors, cost, quota),"
        " skipped (effect, fallbacks, latency, overhead, providers, complaints)"
    )


def test_with_the_flag_off_a_promotion_switches_it_on(world: World) -> None:
    off = {ENABLED: "false"}
    world.entries = [ago(50, 50, config=off)]
    world.file = {PERCENTAGE: "50", **off}
    assert run() == 0
    assert world.file == {PERCENTAGE: "10", ENABLED: "true"}


def test_without_anybody_to_ask_yes_has_to_be_said(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["promote", "t"]) == EXIT_USAGE
    assert "--yes" in capsys.readouterr().err
    assert main(["promote", "t", "--yes"]) == 3  # nobody has signed
    assert len(world.entries) == 2


@pytest.mark.parametrize(
    ("name", "sure", "code", "entries"),
    [("anna", True, 0, 3), ("", True, 3, 2), ("anna", False, 130, 2)],
)
def test_somebody_who_is_there_is_asked(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, sure: bool, code: int, entries: int
) -> None:
    def confirm(*_: Any, **__: Any) -> None:
        if not sure:
            raise click.Abort

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(click, "prompt", lambda *_, **__: name)
    monkeypatch.setattr(click, "confirm", confirm)
    assert main(["promote", "t"]) == code
    assert len(world.entries) == entries


def test_a_signature_is_not_asked_for_a_step_that_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(click, "prompt", lambda *_, **__: pytest.fail("asked"))
    world.evidence = sound(gateway_up=0.5)
    assert main(["promote", "t"]) == 1
