"""A gate: how it is declared, the case that it is handed, and what it says, alone and together with all others."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from components.settings.rollout import GatesSettings
from indicators.indicator import percent
from ops.rollout.gates.certainty import ALL_WATCHED, COMPARING, Certainty
from ops.rollout.gates.evidence import BESIDE, PROMETHEUS, Calls, Evidence, Measured
from ops.rollout.gates.look import Figure
from ops.rollout.steps import in_words

FARTHEST = 4096
"""How many times as many calls an outlook reaches; beyond that nobody waits."""


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
        order = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS)
        return next((word for word in order if word in said), Outcome.INCONCLUSIVE)

    def having(self, outcome: Outcome) -> list[Verdict]:
        """Return the verdicts with this outcome."""
        return [verdict for verdict in self.verdicts if verdict.outcome is outcome]


@dataclass(frozen=True)
class GateInput:
    """What the evidence is judged for: the step from `current` to `to` percent (None: there is none).

    A watch asks whether to go back from `current`; it judges fewer gates, and from fewer samples on. Like what is shown
    `again` and again, it may not say more than all of its looks together allow.
    """

    stack: str
    current: int
    to: int | None
    gates: GatesSettings
    signed_off_by: str = ""
    watching: bool = False
    again: bool = False


@dataclass(frozen=True)
class Case:
    """What the gate of this name judges, and the verdicts that it may come to."""

    gate: str
    evidence: Evidence
    given: GateInput
    metric: str = ""
    threshold: str = ""

    @property
    def stack(self) -> str:
        """Return the stack's name, for commands."""
        return self.given.stack

    @property
    def certainty(self) -> Certainty:
        """Return how sure this gate has to be: as the setting says for one look, else as all looks together need."""
        alpha = 1 - self.given.gates.errors.confidence_percent / 100
        if self.given.watching or self.given.again:
            return Certainty(min(alpha, ALL_WATCHED / COMPARING), one_look=False)
        return Certainty(alpha, one_look=True)

    def exceeds(self, calls: Calls, maximum_percent: float) -> bool:
        """Return whether more calls failed than may: in a step's single look those that did, else surely of all."""
        if self.certainty.one_look:
            return calls.rate * 100 > maximum_percent
        return self.certainty.above(calls, maximum_percent / 100)

    @property
    def others_grow(self) -> bool:
        """Return whether the others' calls become more with time, as those at the same time do."""
        return self.evidence.baseline_is == BESIDE

    def outlook(self, samples: int, decided: Callable[[float], bool]) -> str:
        """Return in words after how many more calls this can be told if all stays as it is; `decided` is asked for
        so many times as many calls.
        """
        if not samples:
            return "no call has come yet"
        enough = 2.0
        while not decided(enough):
            enough *= 2
            if enough > FARTHEST:
                return "if all stays as it is, no number of calls will tell"
        least = max(1.0, enough / 2)
        for _ in range(4):  # to a tenth: it is a guess
            middle = (least + enough) / 2
            least, enough = (least, middle) if decided(middle) else (middle, enough)
        seconds = self.evidence.windows.get(self.gate, 0) * (enough - 1)
        wait = in_words(timedelta(seconds=max(60, seconds)))
        return (
            f"if all stays as it is, about {count(round(samples * (enough - 1)) or 1, 'more call')} will tell ({wait})"
        )

    def about(self, metric: str, threshold: str) -> "Case":
        """Return it with what is looked at, and what it should be."""
        return replace(self, metric=metric, threshold=threshold)

    def passes(self, value: str, samples: int | None = None) -> Verdict:
        """Return that the threshold is kept."""
        return self._verdict(Outcome.PASS, value, samples, "", "")

    def fails(self, value: str, samples: int | None, *, cause: str, fix: str) -> Verdict:
        """Return that it is not, why that is likely, and what to do next."""
        return self._verdict(Outcome.FAIL, value, samples, cause, fix)

    def inconclusive(self, value: str, samples: int | None, *, cause: str, fix: str) -> Verdict:
        """Return that it cannot be told yet."""
        return self._verdict(Outcome.INCONCLUSIVE, value, samples, cause, fix)

    def skipped(self, value: str = "", samples: int | None = None, *, cause: str = "", fix: str = "") -> Verdict:
        """Return that it is not judged at 0 %; with `cause` and `fix` what can be said ahead of the first step."""
        unused = "at 0 % nobody uses the gateway yet"
        return self._verdict(Outcome.SKIPPED, value, samples, f"{unused}; {cause}" if cause else unused, fix)

    def unanswered(self, part: str) -> Verdict:
        """Return that Prometheus gave no figure: it is down, or it does not know the metric of this part."""
        cause, fix = self.why_silent(), f"./fridayctl status {self.stack} shows what runs"
        if not cause:
            cause = f"Prometheus answers but has no figures of {part}: is it scraped?"
            fix = f"./fridayctl logs {self.stack} {part}"
        return self.inconclusive("not measured", None, cause=cause, fix=fix)

    def why_silent(self, source: str = PROMETHEUS) -> str | None:
        """Return why there is no figure: the source does not answer, or has no such metric of this gate."""
        silent = self.evidence.silent
        return (silent.get(self.gate) if source == PROMETHEUS else None) or silent.get(source)

    def too_few(self, samples: int, minimum: int, value: str = "") -> Verdict | None:
        """Return that there were fewer calls than the gate needs, None when there are enough."""
        fix = f"wait for more traffic, or lower gates.{self.gate}.minimumSamples in Pulumi.{self.stack}.yaml"
        if self.given.watching:
            minimum, fix = min(minimum, self.given.gates.watch_samples), f"./fridayctl status {self.stack} later"
        if samples >= minimum:
            return None
        calls = count(samples, "call")
        cause = f"{calls} of the {minimum:,} that it takes"
        seconds = self.evidence.windows.get(self.gate, 0)
        if samples and seconds:
            wait = timedelta(seconds=max(60, seconds * (minimum / samples - 1)))
            cause += f"; at this pace the others take {in_words(wait)}"
        return self.inconclusive(value or calls, samples, cause=cause, fix=fix)

    def may_be_chance(self, calls: Calls, maximum_percent: float, value: str) -> Verdict | None:
        """Return that more calls failed than may, but not surely; None when they did not."""
        if calls.rate * 100 <= maximum_percent:
            return None
        told = self.outlook(calls.total, lambda factor: self.exceeds(calls.times(factor), maximum_percent))
        cause = f"above {maximum_percent:g} %, and that may be chance: too few calls to tell; {told}"
        fix = f"wait for more traffic; ./fridayctl status {self.stack} shows it again"
        return self.inconclusive(value, calls.total, cause=cause, fix=fix)

    def _verdict(self, outcome: Outcome, value: str, samples: int | None, cause: str, fix: str) -> Verdict:
        return Verdict(
            gate=self.gate,
            outcome=outcome,
            metric=self.metric,
            value=value,
            threshold=self.threshold,
            samples=samples,
            # A gate that looked at nothing has no window.
            seconds=self.evidence.windows.get(self.gate) if self.metric else None,
            cause=cause,
            fix=fix,
        )


@dataclass(frozen=True)
class Gate:
    """One gate. What a stack file may say about it is the field of `GatesSettings` with its name, if there is one.

    `watched` gates make a rollout go back when they fail while a new step is watched. One that needs the gateway's
    traffic is skipped at 0 %, where nobody has used the gateway yet; `ahead` says what it can say there.
    """

    name: str
    judge: Callable[[Case], Verdict]
    figures: tuple[Figure[Any], ...] = ()
    watched: bool = False
    needs_gateway_traffic: bool = False
    ahead: Callable[[Case], Verdict] = Case.skipped


def share_of_calls(calls: Calls) -> str:
    """Return the failed ones of some calls as people read them: 0.5 % (1 of 200)."""
    return f"{percent(calls.rate)} ({calls.failed:,} of {calls.total:,})"


def count(number: int, thing: str) -> str:
    """Return "1 call", "2 calls"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def named(verdicts: Iterable[Verdict]) -> str:
    """Return the gates' names in one line."""
    return ", ".join(verdict.gate for verdict in verdicts)
