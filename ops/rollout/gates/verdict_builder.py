"""How every gate words its verdict: what it looks at first, then what it found."""

from dataclasses import dataclass

from ops.rollout.gates.evidence import Evidence
from ops.rollout.gates.verdict import GateInput, Outcome, Verdict, count

PROMETHEUS = "prometheus"
OPENROUTER = "openrouter"


@dataclass(frozen=True)
class VerdictBuilder:
    """A verdict without its outcome."""

    gate: str
    evidence: Evidence
    given: GateInput
    metric: str
    threshold: str

    def passes(self, value: str, samples: int | None = None) -> Verdict:
        """Say that the threshold is kept."""
        return self._verdict(Outcome.PASS, value, samples, "", "")

    def fails(self, value: str, samples: int | None, *, cause: str, fix: str) -> Verdict:
        """Say that it is not, why that is likely, and what to do next."""
        return self._verdict(Outcome.FAIL, value, samples, cause, fix)

    def inconclusive(self, value: str, samples: int | None, *, cause: str, fix: str) -> Verdict:
        """Say that it cannot be told yet."""
        return self._verdict(Outcome.INCONCLUSIVE, value, samples, cause, fix)

    def unanswered(self, source: str = PROMETHEUS, part: str = "") -> Verdict:
        """Say that the source gave no figure: it is down, or it does not know the metric of this part."""
        stack = self.given.stack
        said = self.evidence.silent.get(source)
        if said:
            return self.inconclusive(
                "not measured", None, cause=said, fix=f"./fridayctl status {stack} shows what runs"
            )
        cause = f"Prometheus answers but has no figures of {part}: is it scraped?"
        return self.inconclusive("not measured", None, cause=cause, fix=f"./fridayctl logs {stack} {part}")

    def too_few(self, value: str, samples: int, minimum: int) -> Verdict:
        """Say that there were fewer calls than the gate needs."""
        value = value or count(samples, "call")
        cause = f"{count(samples, 'call')} of the {minimum:,} that it takes"
        if self.given.watching:
            return self.inconclusive(value, samples, cause=cause, fix=f"./fridayctl status {self.given.stack} later")
        fix = f"wait for more traffic, or lower gates.{self.gate}.minimumSamples in Pulumi.{self.given.stack}.yaml"
        return self.inconclusive(value, samples, cause=cause, fix=fix)

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
