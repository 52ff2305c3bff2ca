"""What a stack is set to, what its history says last, and what runs."""

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from ops.checks import edges
from ops.checks.migration import Record, record
from ops.deployment import Deployment
from ops.errors import OperationError
from ops.hosts.docker_host import Instance
from ops.hosts.edge_certificate import served_until
from ops.hosts.edge_servers import EdgeServer, edge_servers
from ops.hosts.swarm import SwarmManager
from ops.metrics.alertmanager import Alerting, alerting
from ops.metrics.collect import sources
from ops.report.collect import judged
from ops.rollout.gates import effect, providers, quota
from ops.rollout.gates.forecast import Forecast
from ops.rollout.gates.gate import AnalysisResult, count
from ops.rollout.history import Entry
from ops.rollout.steps import RolloutPosition, in_words, position_of
from ops.stacks.pulumi_files import is_locked, resources

_URLS = ("fridayUrl", "gatewayUrl", "simulatorUrl", "prometheusUrl", "alertsUrl")
_LAST = 5  # updates that are shown


@dataclass(frozen=True)
class Status:
    """A stack at one moment. `deployed_percentage` (0-100) is what runs, `settings_percentage` what the file says.

    `step` and `gates` are None when nothing is deployed; `history` holds the last updates, newest first. `left_out` are
    healthy replicas that an edge sends no requests to, and why.
    """

    stack: str
    settings_percentage: int
    deployed_percentage: int | None
    history: Sequence[Entry]
    instances: list[Instance]
    urls: dict[str, str]
    step: RolloutPosition | None = None
    gates: AnalysisResult | None = None
    left_out: Sequence[str] = ()
    refused: Sequence[str] = ()
    """That OpenRouter refuses the gateway's account, or some models to it, now, and what to change."""
    named_limit: int | None = None
    """The account's free requests a minute when OpenRouter named fewer than the stack file says."""
    certificate_ends: dt.datetime | None = None
    """When the certificate ends that users see now; None without HTTPS, or when no edge says so."""
    forecast: Forecast | None = None
    """When today's free requests end at this pace; None when too little was measured."""
    migrated: Record | None = None
    """What the host keeps of the last migration; None where the settings ask for none."""
    testers: Sequence[int] = ()
    """The users that what runs sends through LiteLLM at any percentage."""
    missing: Sequence[str] = ()
    """The containers that the last update left there, and that are on the host no more."""
    alerting: Alerting = field(default_factory=Alerting)
    """What Alertmanager says is wrong now, and whether it reaches those who are to be told."""
    nodes: Sequence[str] = ()
    """What an operator should know of a Swarm's nodes: who is not named, drained or away, and the next command."""

    @property
    def healthy(self) -> bool:
        """Return whether all that was deployed is there and healthy, and every replica gets requests."""
        complete = bool(self.instances) and not self.missing
        return complete and all(each.healthy for each in self.instances) and not self.left_out

    @property
    def headline(self) -> str:
        """Return the rollout's state in a sentence."""
        if not self.instances or self.deployed_percentage is None:
            return "not deployed"
        testers = f" and {count(len(self.testers), 'tester')}" if self.testers else ""
        text = f"{self.deployed_percentage} % of users{testers} through LiteLLM"
        if self.deployed_percentage != self.settings_percentage:
            text += f" (the stack file says {self.settings_percentage} %: ./fridayctl up {self.stack} brings it there)"
        down = sum(not each.healthy for each in self.instances)
        if down:
            return f"{text}, {down} of {len(self.instances)} containers not healthy"
        if self.missing:
            return f"{text}, {count(len(self.missing), 'container')} missing"
        return f"{text}, all healthy" + (", but an edge leaves replicas out" if self.left_out else "")

    @property
    def warnings(self) -> list[str]:
        """Return what the containers' health does not show."""
        unused = effect.unused(self.gates.verdicts) if self.gates else ""
        account = self._account if self.named_limit else ""
        seen = filter(None, (*self.refused, unused, account))
        gone = [f"{each} is gone from the host; ./fridayctl verify {self.stack} says more" for each in self.missing]
        return [*self.nodes, *gone, *self.left_out, *seen, *self.alerting.warnings(self.stack)]

    @property
    def noted(self) -> list[str]:
        """Return alerts and warnings, as lines."""
        alerts = (f"alert: {each.line}" for each in self.alerting.firing)
        return [*alerts, *(f"warning: {each}" for each in self.warnings)]

    @property
    def _account(self) -> str:
        return (
            f"OpenRouter allows the account {self.named_limit} free requests a minute, fewer than "
            "quota.requestsPerMinute; the gateway keeps a tenth below that. The fix: pulumi config set --path "
            f"quota.requestsPerMinute {self.named_limit} -s {self.stack}"
        )

    @property
    def certificate(self) -> str:
        """Return for how long the certificate is valid that users see, in a sentence; "" without one."""
        if self.certificate_ends is None:
            return ""
        left = self.certificate_ends - dt.datetime.now(dt.UTC)
        if left < dt.timedelta():
            return (
                f"no longer valid, since {self.certificate_ends:%Y-%m-%d}: renew it, then ./fridayctl up {self.stack}"
            )
        return f"valid for {left.days} days, until {self.certificate_ends:%Y-%m-%d}"

    @property
    def migration(self) -> str:
        """Return when the last migration ran and how it ended, in a sentence; "" without one in the settings."""
        return self.migrated.words(self.stack) if self.migrated else ""

    @property
    def rollout(self) -> str:
        """Return the step in a sentence: since when, how much of its soak is left, what comes next."""
        if self.step is None:
            return ""
        since = f"since {self.step.since:%Y-%m-%d %H:%M} UTC"
        left = f"{in_words(self.step.soak_left)} of its soak left" if self.step.soak_left else "its soak is over"
        step = self.step.next_step
        following = "it is the last step" if step is None else f"next: {step} %"
        paused = f"; paused ({self.step.paused.message})" if self.step.paused else ""
        return f"{since}, {left}, {following}{paused}"

    def document(self) -> dict[str, object]:
        """Return it for --json."""
        return {
            "stack": self.stack,
            "headline": self.headline,
            "healthy": self.healthy,
            "warnings": self.warnings,
            "alerts": [each.model_dump(mode="json") for each in self.alerting.firing],
            "settings_percentage": self.settings_percentage,
            "deployed_percentage": self.deployed_percentage,
            "testers": list(self.testers),
            "step": self.step.document() if self.step else None,
            "gates": [each.model_dump() for each in self.gates.verdicts] if self.gates else [],
            "history": [each.model_dump(exclude={"config"}) for each in self.history],
            "instances": [asdict(each) for each in self.instances],
            "urls": self.urls,
            "quota": self.forecast.document() if self.forecast else None,
            "certificate_ends": self.certificate_ends.isoformat() if self.certificate_ends else None,
            "migration": self.migrated.document() if self.migrated else None,
        }


def look(deployment: Deployment) -> Status:
    """Look at a stack; OperationError when it cannot be read, and (exit code 2) when it is on another machine."""
    stack, settings, opened = deployment.name, deployment.settings, deployment.stack
    # Each of these is a run of Pulumi's command line, and somebody waits.
    with ThreadPoolExecutor() as pool:
        told, history = pool.submit(deployment.outputs), pool.submit(lambda: deployment.history)
        asked, migrated = pool.submit(_asked_edges, deployment), pool.submit(record, deployment)
        instances = deployment.hosts.manager.instances(stack)
        nodes = pool.submit(_noted_nodes, deployment)
        ends = served_until(deployment.hosts.manager, stack) if settings.edge.tls.files else None
        outputs = told.result()
    if not instances:  # nothing here is not nothing anywhere
        deployment.require_same_machine(resources(opened))
    elif not outputs:  # and what is here may be of a state that says more
        deployment.require_own_state(resources(opened))
    entries = history.result()
    now = dt.datetime.now(dt.UTC)
    step = position_of(entries, settings.rollout, now) if outputs else None
    gates, refused, named, ahead, alerts = None, ("", ""), None, None, Alerting()
    if step:
        asked_at = sources(deployment, outputs)
        with ThreadPoolExecutor(1) as pool:  # one that hangs is waited for once, not after the other
            told_of = pool.submit(alerting, deployment, outputs, asked_at, now.timestamp())
            found = judged(stack, settings, asked_at, step, entries, now)
            alerts = told_of.result()
        named, ahead, gates = quota.named_limit(found.evidence), found.forecast, found.gates
        refused = providers.refusal(found.evidence), providers.closed(found.evidence, stack)
    return Status(
        stack=stack,
        settings_percentage=settings.effective_percentage,
        deployed_percentage=_percentage(outputs),
        history=entries[:_LAST],
        instances=instances,
        urls={name: str(outputs[name]) for name in _URLS if name in outputs},
        step=step,
        gates=gates,
        left_out=edges.left_out(asked.result(), instances),
        refused=refused,
        named_limit=named if named is not None and named < settings.quota.requests_per_minute else None,
        certificate_ends=ends,
        forecast=ahead,
        migrated=migrated.result(),
        testers=[int(each) for each in outputs.get("testers", ())],
        missing=_missing(deployment, outputs, instances),
        alerting=alerts,
        nodes=nodes.result(),
    )


def _noted_nodes(deployment: Deployment) -> list[str]:
    """Return what is to be known of a Swarm's nodes, each with what to do about it."""
    manager = deployment.hosts.manager
    if not isinstance(manager, SwarmManager):
        return []
    found = manager.noted(deployment.name, deployment.settings.docker_host)
    return [f"{each.text}; the fix: {each.fix}" for each in found]


def _asked_edges(deployment: Deployment) -> dict[str, list[EdgeServer] | None]:
    """Return what the edges say of the replicas behind them; nothing of those of a host that is lost meanwhile."""
    try:
        return edge_servers(deployment.hosts.answering(lambda _: None), deployment.name)
    except OperationError:
        return {}


def _missing(deployment: Deployment, outputs: dict[str, Any], instances: Sequence[Instance]) -> list[str]:
    """Return the containers that are gone. An update replaces some while it runs, and a Swarm starts tasks anew."""
    if not instances or deployment.settings.engine == "swarm":
        return []
    gone = {str(name) for names in outputs.get("instances", {}).values() for name in names}
    gone -= {each.name for each in instances}
    return sorted(gone) if gone and not is_locked(deployment.stack) else []


def _percentage(outputs: dict[str, Any]) -> int | None:
    if not outputs:
        return None
    return int(outputs["rolloutPercentage"]) if outputs.get("litellmEnabled", True) else 0
