"""What preflight, verify and doctor found: for people, for programs, and for an update that may not begin."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from ops.errors import EXIT_USAGE, OperationError


class State(StrEnum):
    """How a check ended; one is skipped when its question cannot be asked, or is none for this stack.

    A warning is about what will stand in the way later, and fails nothing now.
    """

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, on one host ("" for the stack, or this machine, as a whole).

    `found` is a whole sentence when it failed or warns, `details` what others said of it, `fix` the next thing to do.
    `part` is the part of the stack that it is about, if any, and `wanted` what was expected.
    """

    name: str
    host: str
    state: State
    found: str
    fix: str = ""
    details: str = ""
    part: str = ""
    wanted: str = ""

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what is wrong, line by line, where that is more than one thing."""
        return tuple(self.details.splitlines())


def compared(part: str, name: str, problems: Iterable[str] = (), skipped: str = "") -> Check:
    """Return the check of a part (or "host") that passed without `problems`; `skipped` is why it could not be made."""
    details = "\n".join(problems)
    state = State.SKIPPED if skipped else State.FAILED if details else State.OK
    return Check(name, "", state, skipped, details=details, part=part)


def one_or_other(name: str, address: str, problem: tuple[str, str] | None, text: str) -> Check:
    """Return a host's check that failed for a problem (what, and its fix), or that passed with what was found."""
    if problem:
        return Check(name, address, State.FAILED, f"{address}: {problem[0]}", problem[1])
    return Check(name, address, State.OK, text)


@dataclass(frozen=True)
class Report:
    """Every check of a stack, in order."""

    stack: str
    checks: Sequence[Check]

    @property
    def failed(self) -> list[Check]:
        """Return the checks that failed."""
        return [check for check in self.checks if check.state is State.FAILED]

    @property
    def warnings(self) -> list[Check]:
        """Return the checks that warn."""
        return [check for check in self.checks if check.state is State.WARNING]

    @property
    def ok(self) -> bool:
        """Return whether none failed."""
        return not self.failed

    def document(self) -> dict[str, object]:
        """Return it for --json."""
        return {"stack": self.stack, "ok": self.ok, "checks": [asdict(check) for check in self.checks]}

    def require(self) -> None:
        """Raise OperationError (exit code 2) with every check that failed, each with its fix."""
        if self.failed:
            *others, last = (OperationError(each.found, each.fix, EXIT_USAGE, each.details) for each in self.failed)
            message = "\n".join([*(error.render() for error in others), last.message])
            raise OperationError(message, last.fix, EXIT_USAGE, last.details)
