"""What a channel is told, and what a hook is given: one form for all of them (docs/notification.schema.json)."""

import datetime as dt
import getpass
import os
import socket
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from components.settings.notify import Kind

Hook = Literal["pre-up", "post-up", "pre-promote", "post-promote", "post-rollback"]
"""The names of hooks: `pre-` ones run before anything changes and may refuse it, `post-` ones when all is over."""

SECONDS = 5.0
"""How long the delivery of a message may take."""

_MOST = 1000
_BY_CI = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN")


def one_printable_line(text: str) -> str:
    """Return a text as one line without control characters, at most 1,000 characters of it."""
    return "".join(each if each.isprintable() else " " for each in text[:_MOST])


_Line = Annotated[str, AfterValidator(one_printable_line)]


class Message(BaseModel):
    """One event of a stack's rollout, or the moment at which a hook runs."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    version: Literal[1] = Field(default=1, description="of this form: a field may be added to it, none goes")
    stack: str
    event: Kind | Hook | Literal["test"] = Field(description="what happened; for a hook its own name")
    result: Literal["begins", "done", "failed"] = Field(
        description="`begins` for a pre-hook; for `abort`, `failed` says that going back failed"
    )
    what: _Line = Field(description="a sentence")
    operator: _Line = Field(description="who ran the command: user@machine, or the name that GitHub or GitLab gives")
    from_percent: int | None = Field(
        default=None, alias="from", description="percent of users on LiteLLM before; null: not known, or not deployed"
    )
    to_percent: int | None = Field(
        default=None, alias="to", description="percent of users on LiteLLM after it; null: not known"
    )
    why: _Line = Field(default="", description="the gates' words, the operator's reason or the error")
    next: _Line = Field(default="", description="the next command")
    at: dt.datetime = Field(description="the time, UTC")

    @property
    def text(self) -> str:
        """Return it for people, in a few lines."""
        mark = " FAILED" if self.result == "failed" else ""
        lines = [f"{self.stack}: {self.event}{mark}: {self.what}"]
        lines += [f"why: {self.why}"] if self.why else []
        lines += [f"by {self.operator} at {self.at:%Y-%m-%d %H:%M:%S} UTC"]
        lines += [f"next: {self.next}"] if self.next else []
        return "\n".join(lines)

    def document(self) -> bytes:
        """Return it as JSON."""
        return self.model_dump_json(by_alias=True).encode()

    def variables(self) -> dict[str, str]:
        """Return it as environment variables, FRIDAY_STACK and so on; "" for what is not known."""
        found = self.model_dump(mode="json", by_alias=True)
        return {f"FRIDAY_{name.upper()}": "" if value is None else str(value) for name, value in found.items()}


def operator() -> str:
    """Return who runs this command: the name that a CI gives, else user@machine, with the user before sudo."""
    if by_ci := next((os.environ[name] for name in _BY_CI if os.environ.get(name)), ""):
        return by_ci
    try:
        user = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a number without a name, in a container
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
