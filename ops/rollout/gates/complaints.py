"""The gate on complaints: what users said of answers, on the gateway and beside it; else somebody signs."""

from datetime import timedelta

from pydantic import Field

from indicators.selectors import DIRECT_PATH, FRIDAY, GATEWAY_PATHS, ratings
from ops.rollout.feedback import RATINGS
from ops.rollout.gates.evidence import BESIDE, Calls, Measured
from ops.rollout.gates.gate import Case, Gate, Verdict, count
from ops.rollout.gates.look import Figure, Look
from ops.rollout.steps import in_words

NAME = "complaints"


class Heard(Measured):
    """Users' ratings of some answers, and how many answers there were. None: nobody has counted those."""

    up: int = Field(default=0, ge=0)
    down: int = Field(default=0, ge=0)
    complaint: int = Field(default=0, ge=0)
    answers: int | None = Field(default=None, ge=0)

    @property
    def rated(self) -> int:
        """Return how many ratings there are."""
        return self.up + self.down + self.complaint

    @property
    def bad(self) -> int:
        """Return how many of them are bad: down, or a complaint."""
        return self.down + self.complaint

    @property
    def calls(self) -> Calls:
        """Return the answers, with those that a user thought bad as the failed ones.

        Ratings may be of answers before the window, and operators enter some, so there may be more than answers.
        """
        total = max(self.answers or 0, self.bad)
        return Calls(total=total, failed=self.bad)

    def plus(self, further: dict[str, int]) -> "Heard":
        """Return it with further ratings, by their names."""
        return self.model_copy(update={name: getattr(self, name) + further.get(name, 0) for name in RATINGS})

    def __str__(self) -> str:
        if self.answers is None:
            return count(self.bad, "answer")
        return f"{per_thousand(self.calls)} ({self.bad:,} of {self.calls.total:,})"


def heard(look: Look, *paths: str) -> Heard | None:
    """Return what users said of the answers of some paths by Friday's endpoint; None without Friday's metrics."""
    given = look.by_label(ratings(*paths), "rating", FRIDAY)
    answers = look.friday_calls(*paths)
    if given is None or answers is None:
        return None
    known = {name: round(given.get(name, 0)) for name in RATINGS}
    return Heard(**known, answers=answers.total)


def _look(look: Look) -> Heard | None:
    return heard(look, *GATEWAY_PATHS) if look.scope.has_friday else None


def _look_at_baseline(look: Look) -> Heard | None:
    others = look.baseline
    return heard(others, *DIRECT_PATH) if others and look.scope.has_friday else None


_OURS = Figure("feedback", _look)
_THEIRS = Figure("feedback_baseline", _look_at_baseline)


def _judge(case: Case) -> Verdict:
    """Judge whether the gateway's users say bad things of more answers; without enough feedback somebody signs."""
    reported = case.evidence.reported
    before = reported if case.evidence.baseline_is == BESIDE else case.evidence.reported_before
    ours, theirs = _OURS.of(case.evidence) or Heard(), _THEIRS.of(case.evidence) or Heard()
    for path in GATEWAY_PATHS:
        ours = ours.plus(reported.get(path, {}))
    theirs = theirs.plus(before.get("direct", {}))
    comparable = ours.rated >= case.given.gates.complaints.minimum_samples and ours.answers and theirs.answers
    return _compared(case, ours, theirs) if comparable else _signed(case, ours, theirs)


def _signed(case: Case, ours: Heard, theirs: Heard) -> Verdict:
    """Judge whether somebody has signed that no user complained."""
    case = case.about("complaints of users", "none, signed by somebody")
    said = f"complained of: {ours} by LiteLLM's users, {theirs} by the others" if ours.rated or theirs.rated else ""
    if case.given.signed_off_by:
        signed = f"{said}; signed by" if said else "none, says"
        return case.passes(f"{signed} {case.given.signed_off_by}")
    since = in_words(timedelta(seconds=case.evidence.windows.get(NAME, 0)))
    cause = f"no metric knows what users said in the last {since}"
    if said:
        least = case.given.gates.complaints.minimum_samples
        cause = f"{count(ours.rated, 'rating')} of LiteLLM's users, of the {least} that it takes to compare"
        if ours.rated >= least:
            cause = "nothing to compare with: Friday counts no answers, or nobody is on the other path"
    return case.inconclusive(f"nobody has signed{'; ' * bool(said)}{said}", None, cause=cause, fix=_sign(case))


def _compared(case: Case, ours: Heard, theirs: Heard) -> Verdict:
    """Judge by the difference, as the gate on errors: surely more fail, and surely not much more pass."""
    settings, certainty = case.given.gates.complaints, case.certainty
    metric = f"answers that users complain of, LiteLLM's users against the {case.evidence.baseline_is}"
    case = case.about(metric, f"same or fewer, at most {settings.tolerance_percent:g} % more")
    low, high = certainty.difference(ours.calls, theirs.calls)
    value = f"{ours} against {theirs}: {low * 1000:+.3g} to {high * 1000:+.3g} per 1,000 ({certainty})"
    if low > 0:
        cause = "LiteLLM's users complain of more answers, and that is no accident"
        fix = f"./fridayctl feedback {case.stack} shows them; ./fridayctl rollback {case.stack} goes back"
        return case.fails(value, ours.answers, cause=cause, fix=fix)
    if high * 100 <= settings.tolerance_percent:
        return case.passes(value, ours.answers)
    if case.given.signed_off_by:
        return case.passes(f"{value}; signed by {case.given.signed_off_by}", ours.answers)

    def decided(factor: float) -> bool:
        others = theirs.calls.times(factor) if case.others_grow else theirs.calls
        low, high = certainty.difference(ours.calls.times(factor), others)
        return low > 0 or high * 100 <= settings.tolerance_percent

    cause = f"it could still be more than {settings.tolerance_percent:g} points worse: too few answers to tell"
    told = case.outlook(ours.calls.total, decided)
    fix = f"wait for more traffic, or {_sign(case)}"
    return case.inconclusive(value, ours.answers, cause=f"{cause}; {told}", fix=fix)


def _sign(case: Case) -> str:
    return f"./fridayctl promote {case.stack} --no-complaints NAME"


def per_thousand(calls: Calls) -> str:
    """Return the share of failed calls as people read that of ratings: 4.2 per 1,000 answers."""
    return f"{calls.rate * 1000:.3g} per 1,000 answers"


GATE = Gate(NAME, _judge, (_OURS, _THEIRS), needs_gateway_traffic=True)
