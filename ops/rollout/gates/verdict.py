"""What a gate says, and what all of them say together."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from components.settings.rollout import GatesSettings
from ops.rollout.gates.evidence import Calls, Measured


class Outcome(StrEnum):
    """A gate's word. Only `pass` lets a step go on; `skipped` does not count, and says why."""

    PASS = "pass"  # noqa: S105 - a word, no secret
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    SKIPPED = "skipped"


class Verdict(Measured):
    """One gate's word with what it rests on, ready to be shown. `seconds` is the window."""

    gate: str
    outcome: Outcome
    metric: str
    value: str = ""
    threshold: str = ""
    samples: int | None = None
    seconds: float | None = None
    cause: str = ""
    fix: str = ""


class AnalysisResult(Measured):
    """The verdicts of all gates that were asked."""

    verdicts: tuple[Verdict, ...]

    @property
    def outcome(self) -> Outcome:
        """Return fail when one fails, else inconclusive when one is or none passed: no data never promotes."""
        said = {verdict.outcome for verdict in self.verdicts}
        for word in (Outcome.FAIL, Outcome.INCONCLUSIVE):
            if word in said:
                return word
        return Outcome.PASS if Outcome.PASS in said else Outcome.INCONCLUSIVE

    def having(self, outcome: Outcome) -> list[Verdict]:
        """Return the verdicts with this outcome."""
        return [verdict for verdict in self.verdicts if verdict.outcome is outcome]


@dataclass(frozen=True)
class GateInput:
    """What the evidence is judged for: the step from `current` to `to` percent (None: there is none).

    A watch asks whether to go back from `current`; it judges fewer gates, and from fewer samples on.
    """

    stack: str
    current: int
    to: int | None
    gates: GatesSettings
    signed_off_by: str = ""
    watching: bool = False

    def enough(self, minimum: int) -> int:
        """Return how many samples a gate with this minimum needs now."""
        return min(minimum, self.gates.watch_samples) if self.watching else minimum


def percent(share: float) -> str:
    """Return a share of 1 as people read it: 0.5 %, 12 %."""
    return f"{share * 100:.3g} %"


def share_of_calls(calls: Calls) -> str:
    """Return the failed ones of some calls as people read them: 0.5 % (1 of 200)."""
    return f"{percent(calls.rate)} ({calls.failed:,} of {calls.total:,})"


def count(number: int, thing: str) -> str:
    """Return "1 call", "2 calls"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def named(verdicts: Iterable[Verdict]) -> str:
    """Return the gates' names in one line."""
    return ", ".join(verdict.gate for verdict in verdicts)
