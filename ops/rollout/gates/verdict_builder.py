"""How every gate words its verdict: what it looks at first, then what it found."""

from dataclasses import dataclass

from ops.rollout.gates.evidence import Evidence, Gate
from ops.rollout.gates.verdict import Outcome, Question, Verdict, count

PROMETHEUS = "prometheus"
OPENROUTER = "openrouter"


@dataclass(frozen=True)
class VerdictBuilder:
    """A verdict without its outcome."""

    gate: Gate
    evidence: Evidence
    question: Question
    metric: str
    threshold: str

    def passes(self, value: str, samples: int | None = None) -> Verdict:
        """Say that the threshold is kept."""
        return self._verdict(Outcome.PASS, value, samples, "", "")

    def fails(self, value: str, samples: int | None, *, cause: str, mend: str) -> Verdict:
        """Say that it is not, why that is likely, and what to do next."""
        return self._verdict(Outcome.FAIL, value, samples, cause, mend)

    def holds(self, value: str, samples: int | None, *, cause: str, mend: str) -> Verdict:
        """Say that it cannot be told yet."""
        return self._verdict(Outcome.INCONCLUSIVE, value, samples, cause, mend)

    def unanswered(self, source: str = PROMETHEUS, part: str = "") -> Verdict:
        """Say that the source gave no figure: it is down, or it does not know the metric of this part."""
        stack = self.question.stack
        said = self.evidence.silent.get(source)
        if said:
            return self.holds("not measured", None, cause=said, mend=f"./fridayctl status {stack} shows what runs")
        cause = f"Prometheus answers but has no figures of {part}: is it scraped?"
        return self.holds("not measured", None, cause=cause, mend=f"./fridayctl logs {stack} {part}")

    def too_few(self, value: str, samples: int, minimum: int) -> Verdict:
        """Say that there were fewer calls than the gate needs."""
        value = value or count(samples, "call")
        cause = f"{count(samples, 'call')} of the {minimum:,} that it takes"
        if self.question.watching:
            return self.holds(value, samples, cause=cause, mend=f"./fridayctl status {self.question.stack} later")
        mend = f"wait for more traffic, or lower gates.{self.gate}.minimumSamples in Pulumi.{self.question.stack}.yaml"
        return self.holds(value, samples, cause=cause, mend=mend)

    def _verdict(self, outcome: Outcome, value: str, samples: int | None, cause: str, mend: str) -> Verdict:
        return Verdict(
            gate=self.gate,
            outcome=outcome,
            metric=self.metric,
            value=value,
            threshold=self.threshold,
            samples=samples,
            seconds=self.evidence.windows.get(self.gate),
            cause=cause,
            mend=mend,
        )
