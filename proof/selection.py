"""Which tests are a proof: those in these places that write down what they tried (they use the fixture `record`)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final, get_args

from testing.record import Group
from toolchain.paths import ROOT

_SLOW: Final = "slow"
_MINUTES: Final = "proof"
"""The markers of tests that take seconds, and many minutes."""


@dataclass(frozen=True)
class Chapter:
    """One group of a proof: its title, what it shows, and where its tests are (patterns below the checkout).

    A slow test is quick enough for `--quick` when its name, with its case, has one of the words of `quick`.
    """

    title: str
    shows: str
    places: tuple[str, ...]
    quick: tuple[str, ...] = ()


CHAPTERS: Final[dict[Group, Chapter]] = {
    "locks": Chapter(
        "$0.00 locks",
        "Nobody gets past the gateway to a paid model, a foreign host or another key. What is sent is harmless: the "
        "locks go by the name of a field or by what is allowed in it.",
        ("tests/integration/test_gateway_locks.py", "tests/integration/locks/*.py"),
    ),
    "faults": Chapter(
        "Faults",
        "Something breaks while users ask. Where another path exists nobody notices; where none does, users get a "
        "clear error in time.",
        ("tests/faults/*.py",),
        quick=("gateway", "redis"),  # half of the faults of parts: all of them take seven minutes
    ),
    "change": Chapter(
        "A changed percentage under load",
        "Users go on asking while the rollout percentage changes and the replicas are replaced.",
        ("tests/integration/test_local_stack.py", "tests/integration/test_housekeeping.py"),
    ),
    "rollback": Chapter(
        "Rollback",
        "Users go on asking while everybody is taken off the gateway.",
        ("tests/integration/test_rollback.py",),
    ),
}
GROUPS: Final[tuple[Group, ...]] = get_args(Group)


@cache
def files_of(group: Group) -> tuple[str, ...]:
    """Return the test files of a group, relative to the checkout and in order."""
    found = {path.relative_to(ROOT).as_posix() for place in CHAPTERS[group].places for path in ROOT.glob(place)}
    return tuple(sorted(path for path in found if path.rpartition("/")[2].startswith("test_")))


def files(groups: Iterable[Group]) -> list[str]:
    """Return the test files of some groups, as pytest takes them."""
    return [path for group in groups for path in files_of(group)]


def group_of(test: str) -> Group:
    """Return the group of a test of `files` by pytest's name of it."""
    path = test.partition("::")[0]
    return next(group for group in GROUPS if path in files_of(group))


def takes_long(test: str, markers: Collection[str]) -> bool:
    """Return whether `--quick` leaves a test out, by pytest's name of it and its markers."""
    if _MINUTES in markers:
        return True
    path, _, name = test.partition("::")
    words = [word for group in GROUPS if path in files_of(group) for word in CHAPTERS[group].quick]
    return _SLOW in markers and not any(word in name for word in words)
