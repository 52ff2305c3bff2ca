"""Exports which users are on which path; the assignment is a pure function of the user id.

    python3 -m friday.llm.experiments --users 0-999 --percentage 10 > assignments.csv

Without --percentage the environment's rollout is exported. When JWT_SECRET is set, the column `user` has
the pseudonym of the logs, so that an export can be joined with them.
"""

import argparse
import csv
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TextIO

from pydantic import BaseModel, Field, SecretStr

from friday.llm.config import LlmConfig, read_environment
from friday.llm.constants import MAX_USER_ID, Path
from friday.llm.decision import decide
from friday.llm.errors import LlmError
from friday.llm.monitoring.logger import UserHasher

MAX_USERS = 1_000_000


class Assignment(NamedTuple):
    """One row of an export; `bucket` is the user id modulo 100."""

    user_id: int
    bucket: int
    path: Path
    user: str


class _Salt(BaseModel):
    jwt_secret: SecretStr = Field(
        default=SecretStr(""), validation_alias="JWT_SECRET", description="the salt of the logs' pseudonyms"
    )


def assignments(
    users: Iterable[int], *, enabled: bool, percentage: int, hash_user: UserHasher | None = None
) -> Iterator[Assignment]:
    """Yield the path of each user at a percentage, which never changes: the rule depends on nothing else."""
    for user_id in users:
        path = decide(user_id, enabled=enabled, percentage=percentage)
        name = hash_user(user_id) if hash_user else None
        yield Assignment(user_id, user_id % 100, path, name or "")


def export(rows: Iterable[Assignment], out: TextIO) -> None:
    """Write `rows` as CSV."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(Assignment._fields)
    writer.writerows(rows)


def _users(text: str) -> range:
    first, _, last = text.partition("-")
    try:
        users = range(int(first), int(last or first) + 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected an id or a range such as 0-999, got {text!r}") from None
    if not 0 < len(users) <= MAX_USERS or users[-1] > MAX_USER_ID:
        raise argparse.ArgumentTypeError(f"expected 1 to {MAX_USERS} ids up to {MAX_USER_ID}, got {text!r}")
    return users


def _percentage(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"expected an integer from 0 to 100, got {text!r}")
    return int(text)


def main(arguments: Sequence[str], environ: Mapping[str, str], out: TextIO) -> int:
    """Run the command line. Return 0, or 2 when the environment is wrong."""
    parser = argparse.ArgumentParser(
        prog="python3 -m friday.llm.experiments", description="Export who is on which path, as CSV."
    )
    parser.add_argument("--users", type=_users, required=True, help="an id or a range, e.g. 0-999")
    parser.add_argument("--percentage", type=_percentage, help="0 to 100; default: the environment's rollout")
    options = parser.parse_args(arguments)
    try:
        config = read_environment(LlmConfig, environ)
        salt = read_environment(_Salt, environ).jwt_secret.get_secret_value()
    except LlmError as error:
        sys.stderr.write(f"friday: {error}\n")
        return 2
    rows = assignments(
        options.users,
        enabled=config.enable_litellm or options.percentage is not None,
        percentage=config.rollout_percentage if options.percentage is None else options.percentage,
        hash_user=UserHasher(salt.encode()) if salt else None,
    )
    export(rows, out)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ, sys.stdout))
