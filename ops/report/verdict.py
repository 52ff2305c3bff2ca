"""The first thing on the page: is it healthy, does it need a look, or is it time to act; why, and what to run next."""

import re
from collections.abc import Iterator, Sequence

from components.parts import NAMES
from ops.report import events
from ops.report.ask import GATEWAY
from ops.report.grid import DAY_SECONDS
from ops.report.known import Known, Measured
from ops.report.model import Alert, Check, Incident, Level, Reason, Source, Verdict
from ops.report.questions import NOW, STEPS, TOTALS
from ops.rollout.gates.gate import Outcome, count
from ops.rollout.gates.registry import GATES
from ops.rollout.steps import in_words

_ORDER = {Level.ACT: 0, Level.LOOK: 1, Level.UNKNOWN: 2, Level.HEALTHY: 3}
_HEADLINES = {
    Level.ACT: "act now",
    Level.LOOK: "needs a look",
    Level.HEALTHY: "healthy",
}
_COMMAND = re.compile(
    rf"\./fridayctl [a-z]+ [\w-]+(?: (?:{'|'.join(NAMES)})(?!\S))?(?: --[a-z-]+(?: (?:\d+|[A-Z]+|'[^']*'))?)*"
)
_REASONS = frozenset({Level.ACT, Level.LOOK})
_WATCHED = frozenset(gate.name for gate in GATES if gate.watched)


def verdict(
    known: Known,
    measured: Measured,
    checks: Sequence[Check],
    incidents: Sequence[Incident],
    alerts: Sequence[Alert],
    sources: Sequence[Source],
) -> Verdict:
    """Return the verdict: the worst of all reasons, in their order of weight."""
    if known.position is None:
        return _not_deployed(known)
    reasons = [
        *_now(known, measured),
        *(Reason(level=_of(each), text=f"{each.name}: {each.summary}", command=each.command) for each in alerts),
        *_unmeasured(known, measured),
        *_untold(known),
        *_gates(known),
        *(_of_check(each) for each in checks if each.level in _REASONS),
        *_recent(known, incidents),
        *(_silent(each, known) for each in sources if not each.answered),
    ]
    reasons.sort(key=lambda each: _ORDER[each.level])
    worst = reasons[0] if reasons else None
    level = worst.level if worst else Level.HEALTHY
    unknown = [each for each in checks if each.level is Level.UNKNOWN]
    return Verdict(
        level=level,
        headline=f"{_HEADLINES[level]}: {worst.text if worst else _calm(known, unknown)}",
        reasons=tuple(reasons),
        command=next((each.command for each in reasons if each.command), "") or _following(known),
    )


def _not_deployed(known: Known) -> Verdict:
    failed = events.last_failed(known.entries)
    command = f"./fridayctl up {known.stack}"
    text = "nothing is deployed" + (": the last update failed" if failed else "")
    level = Level.ACT if failed else Level.LOOK
    reason = Reason(level=level, text=text, command=command)
    return Verdict(level=level, headline=f"{_HEADLINES[level]}: {text}", reasons=(reason,), command=command)


def _now(known: Known, measured: Measured) -> Iterator[Reason]:
    """Yield what is wrong at this moment: containers, replicas, an update that failed, the switch."""
    stack = known.stack
    down = [each for each in known.instances or () if not each.healthy]
    if down:
        names = ", ".join(each.name for each in down[:3])
        text = f"{len(down)} of {count(len(known.instances or ()), 'container')} not healthy: {names}"
        yield Reason(level=Level.ACT, text=text, command=f"./fridayctl status {stack}")
    if known.instances is not None and not known.instances:
        yield Reason(level=Level.ACT, text="no container runs", command=f"./fridayctl up {stack}")
    serving = measured.rows(NOW, "replicas").newest or {}
    for proxy, declared in (("friday", 1), ("litellm", min(1, known.settings.litellm.replicas))):
        if serving.get((proxy,), 1.0) < declared:
            text = f"the edge finds no replica of {proxy}"
            yield Reason(level=Level.ACT, text=text, command=f"./fridayctl status {stack}")
    if failed := events.last_failed(known.entries):
        text = f"the last update failed ({failed.message}): what runs may be half of it"
        yield Reason(level=Level.ACT, text=text, command=f"./fridayctl up {stack}")
    if measured.rows(NOW, "closed").one:
        text = "the gateway is closed at the edge: all users are on the direct path"
        yield Reason(level=Level.LOOK, text=text, command=f"./fridayctl history {stack}")
    if known.percentage != known.settings.effective_percentage:
        text = f"{known.percentage} % runs, and the stack file says {known.settings.effective_percentage} %"
        yield Reason(level=Level.LOOK, text=text, command=f"./fridayctl up {stack}")


def _unmeasured(known: Known, measured: Measured) -> Iterator[Reason]:
    """Yield why a Prometheus that answers has no figures: a part is not scraped, or a metric was renamed."""
    batches = [measured.answers.get(batch, {}) for batch in (STEPS, TOTALS)]
    whys = dict.fromkeys(rows.why for batch in batches for rows in batch.values() if rows.why and not rows.known)
    for why in whys if not measured.silent else ():
        if known.settings.litellm.replicas or f"of {GATEWAY} in" not in why:
            yield Reason(level=Level.LOOK, text=why, command=f"./fridayctl logs {known.stack} prometheus")


def _untold(known: Known) -> Iterator[Reason]:
    """Yield the channels that alerts do not reach: a calm night may be one in which nobody was told."""
    for channel, many in sorted(known.alerting.undelivered.items()):
        text = f"alerts do not reach notify.{channel}: {many} of the attempts within 15 minutes failed"
        yield Reason(level=Level.LOOK, text=text, command=f"./fridayctl notify test {known.stack}")


def _gates(known: Known) -> Iterator[Reason]:
    for each in known.judged.gates.having(Outcome.FAIL) if known.judged else ():
        level = Level.ACT if each.gate in _WATCHED and known.percentage else Level.LOOK
        text = f"the gate {each.gate} fails: {each.value}; wanted: {each.threshold}"
        yield Reason(level=level, text=text, command=command_in(each.fix) or _status(known))


def command_in(fix: str) -> str:
    """Return the command that a sentence begins with, as somebody would paste it; "" when it begins with none."""
    found = _COMMAND.match(fix)
    return found[0] if found else ""


def _of_check(check: Check) -> Reason:
    return Reason(level=check.level, text=f"{check.title}: {check.says}", command=check.command)


def _recent(known: Known, incidents: Sequence[Incident]) -> Iterator[Reason]:
    """Yield the incidents of the last day that are over or go on, but what was said as a state of now already."""
    for each in incidents:
        ended = each.ended or known.now
        is_said = each.kind in ("alert", "failed-update") or (each.kind == "switch-closed" and each.ended is None)
        if not is_said and (known.now - ended).total_seconds() < DAY_SECONDS:
            when = "now" if each.ended is None else f"{in_words(known.now - ended)} ago"
            yield Reason(level=each.level, text=f"{each.title} ({when})", command=each.command)


def _silent(source: Source, known: Known) -> Reason:
    return Reason(level=Level.LOOK, text=f"{source.name} says nothing: {source.says}", command=_status(known))


def _of(alert: Alert) -> Level:
    return Level.ACT if alert.severity == "critical" else Level.LOOK


def _calm(known: Known, unknown: Sequence[Check]) -> str:
    said = f"{known.percentage} % of users through LiteLLM, nothing to act on"
    return said + (f"; not known: {', '.join(each.title.lower() for each in unknown)}" if unknown else "")


def _following(known: Known) -> str:
    """Return the next command of a stack that is well: the next step when it may come, else a look at what is left."""
    position = known.position
    if position is None or position.next_step is None or position.paused or position.soak_left:
        return _status(known)
    return f"./fridayctl promote {known.stack} --dry-run"


def _status(known: Known) -> str:
    return f"./fridayctl status {known.stack}"
