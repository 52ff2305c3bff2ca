"""What a rule and an alert are, and how they are written for Prometheus."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from components.part import Given

Severity = Literal["critical", "warning"]
"""`critical` pages: users have less than they should, or money is spent. `warning` is a cause, and can wait."""

RUNBOOK = "docs/TROUBLESHOOTING.md"
"""Where each alert has a heading of its name."""

SHARE = "{{ $value | humanizePercentage }}"
WHOLE = '{{ $value | printf "%.0f" }}'
"""The value of an expression in a description: a share of 0 to 1 as a percentage, and a number."""


@dataclass(frozen=True)
class Alert:
    """An alert: when `expression` has a value for as long as `lasts` ("": at once).

    `part` is whose it is (a name of `components.parts`). `when` says in the documentation what `expression` says;
    `summary` and `description` are sent, the second may show the value as a template of Prometheus'. STACK in them,
    and in `command`, stands for the stack's name.
    """

    name: str
    severity: Severity
    part: str
    when: str
    expression: str
    summary: str
    description: str
    command: str
    lasts: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def runbook(self) -> str:
        """Return the path and anchor of its heading."""
        return f"{RUNBOOK}#{self.name.lower()}"

    @property
    def all_labels(self) -> dict[str, str]:
        """Return its labels, with those by which it is sent."""
        return {"severity": self.severity, "part": self.part, **self.labels}

    def annotations(self, stack: str) -> dict[str, str]:
        """Return what is sent with it."""
        texts = {"summary": self.summary, "description": self.description, "command": self.command}
        return {**{name: text.replace("STACK", stack) for name, text in texts.items()}, "runbook": self.runbook}

    def document(self, stack: str) -> dict[str, object]:
        """Return it as an entry of a rule file."""
        return {
            "alert": self.name,
            "expr": self.expression,
            **({"for": self.lasts} if self.lasts else {}),
            "labels": self.all_labels,
            "annotations": self.annotations(stack),
        }


@dataclass(frozen=True)
class Recording:
    """A series that Prometheus keeps because other rules would be too costly without it: `level:metric:operation`."""

    name: str
    expression: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def document(self, _: str) -> dict[str, object]:
        """Return it as an entry of a rule file."""
        labels = {"labels": dict(self.labels)} if self.labels else {}
        return {"record": self.name, "expr": self.expression, **labels}


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after the other, every `interval` ("": as often as Prometheus does)."""

    name: str
    rules: tuple[Alert | Recording, ...]
    interval: str = ""

    def document(self, stack: str) -> dict[str, object]:
        """Return it as a group of a rule file."""
        interval = {"interval": self.interval} if self.interval else {}
        return {"name": self.name, **interval, "rules": [rule.document(stack) for rule in self.rules]}


@dataclass(frozen=True)
class Watched:
    """What the rules have to know of a stack."""

    given: Given

    @property
    def is_reference(self) -> bool:
        """Return whether it runs the reference Friday, whose metrics are there for certain."""
        return self.given.settings.friday.image is None

    @property
    def may_have_friday(self) -> bool:
        """Return whether there may be metrics named friday_*: an image of one's own may have others, or none."""
        return self.is_reference or self.scrapes("friday")

    @property
    def users(self) -> str:
        """Return the edge's frontend that counts users' calls where Friday does not."""
        return "chats" if self.given.settings.friday.chat_paths else "users"

    @property
    def least_calls(self) -> int:
        """Return of how many calls a share is taken for more than chance, as a watch of the gates does."""
        return self.given.settings.gates.watch_samples

    def scrapes(self, job: str) -> bool:
        """Return whether Prometheus asks this job."""
        return any(each.name == job for each in self.given.jobs)


def both(*conditions: str) -> str:
    """Return the first condition's value while all of them hold; none but the first may have labels."""
    return " and on () ".join(f"({each})" for each in conditions)


def but(condition: str, *exceptions: str) -> str:
    """Return a condition's value unless one of the exceptions holds."""
    return " unless on () ".join(f"({each})" for each in (condition, *exceptions))


def any_of(conditions: Iterable[str]) -> str:
    """Return the values of each condition that holds; what has the same labels is there once."""
    return " or ".join(f"({each})" for each in conditions)
