"""Exports which users are on which path, which never changes: the rule depends on user id and percentage only.

    python3 -m friday.llm.experiments --users 0-999 --percentage 10 > assignments.csv

Without --percentage the environment's rollout is exported. When JWT_SECRET is set, the column `user` has
the pseudonym of the logs, so that an export can be joined with them.
"""

import argparse
import csv
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

from pydantic import BaseModel, SecretStr

from friday.llm.config import LlmConfig, read_environment, variable
from friday.llm.constants import MAX_USER_ID
from friday.llm.decision import decide
from friday.llm.errors import LlmError
from friday.llm.monitoring.logger import UserHasher

MAX_USERS = 1_000_000


class _Salt(BaseModel):
    jwt_secret: SecretStr = variable("JWT_SECRET", "the salt of the logs' pseudonyms", SecretStr(""))


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
    """Write the rows as CSV; `bucket` is the user id modulo 100. Return 0, or 2 when the environment is wrong."""
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
    asked = options.percentage is not None
    enabled, percentage = asked or config.enable_litellm, options.percentage if asked else config.rollout_percentage
    hash_user = UserHasher(salt.encode())
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("user_id", "bucket", "path", "user"))
    for user in options.users:
        path = decide(user, enabled=enabled, percentage=percentage, testers=config.testers)
        writer.writerow((user, user % 100, path, hash_user(user) if salt else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ, sys.stdout))
