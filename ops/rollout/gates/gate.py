"""Gate: one declaration of all that makes a gate, and Case: what it judges, and how it words its verdict."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ops.rollout.gates.evidence import PROMETHEUS, Evidence
from ops.rollout.gates.look import Figure
from ops.rollout.gates.verdict import GateInput, Outcome, Verdict, count


@dataclass(frozen=True)
class Gate:
    """One gate. What a stack file may say about it is the field of `GatesSettings` with its name, if there is one.

    `watched` gates make a rollout go back when they fail while a new step is watched. One that needs the gateway's
    traffic is skipped at 0 %, where nobody has used the gateway yet.
    """

    name: str
    judge: "Callable[[Case], Verdict]"
    figures: tuple[Figure[Any], ...] = ()
    watched: bool = False
    needs_gateway_traffic: bool = False


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

    def unanswered(self, part: str) -> Verdict:
        """Return that Prometheus gave no figure: it is down, or it does not know the metric of this part."""
        cause, fix = self.evidence.silent.get(PROMETHEUS), f"./fridayctl status {self.stack} shows what runs"
        if not cause:
            cause = f"Prometheus answers but has no figures of {part}: is it scraped?"
            fix = f"./fridayctl logs {self.stack} {part}"
        return self.inconclusive("not measured", None, cause=cause, fix=fix)

    def too_few(self, samples: int, minimum: int, value: str = "") -> Verdict | None:
        """Return that there were fewer calls than the gate needs, None when there are enough."""
        needed = self.given.enough(minimum)
        if samples >= needed:
            return None
        fix = f"./fridayctl status {self.stack} later"
        if not self.given.watching:
            fix = f"wait for more traffic, or lower gates.{self.gate}.minimumSamples in Pulumi.{self.stack}.yaml"
        calls = count(samples, "call")
        return self.inconclusive(value or calls, samples, cause=f"{calls} of the {needed:,} that it takes", fix=fix)

    def _verdict(self, outcome: Outcome, value: str, samples: int | None, cause: str, fix: str) -> Verdict:
        return Verdict(
            gate=self.gate,
            outcome=outcome,
            metric=self.metric,
            value=value,
            threshold=self.threshold,
            samples=samples,
            seconds=self.evidence.windows.get(self.gate),
            cause=cause,
            fix=fix,
        )
