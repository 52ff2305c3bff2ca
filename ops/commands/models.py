"""Shows the live catalogue beside a stack's models."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from components.catalogue import FREE_ROUTER, Prompts, default_models
from components.settings.stack import StackSettings
from ops.checks.preflight.judge_upstream import flaws, price_problem
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.metrics.openrouter import Listed, catalogue, reached_at, without_retention
from ops.metrics.server import SilentError

DIRECT = "friday.directModel"


@dataclass(frozen=True)
class Live:
    """What the upstream lists now, by id, and which of it keeps no prompts; None where it does not say."""

    today: date
    models: Mapping[str, Listed]
    deleting: frozenset[str] | None

    def prompts_of(self, settings: StackSettings, model: str) -> Prompts | None:
        """Return what a model's provider does with prompts: as OpenRouter says, else as the settings or defaults."""
        if self.deleting and model in self.deleting:
            return "deleted"
        known = (each.prompts for each in (*settings.models, *default_models()) if each.id == model)
        return next((prompts for prompts in known if prompts), None)

    def closed(self, settings: StackSettings, model: str) -> bool:
        """Return whether the stack's data policy keeps a model out: as OpenRouter lists it, else as far as is known."""
        policy, prompts = settings.data_policy, self.prompts_of(settings, model)
        if policy.zdr and self.deleting is not None:
            return model not in self.deleting
        return policy.closes(prompts)


@dataclass(frozen=True)
class ModelRow:
    """One model: `used` are the names by which the stack has it, `problem` is why that is not right, "" when it is."""

    id: str
    used: tuple[str, ...]
    price: str
    context_tokens: int | None
    takes: tuple[str, ...] | None
    prompts: str | None
    retires: str | None
    problem: str


def ask(deployment: Deployment) -> Live:
    """Ask a stack's upstream for its models, without a call of the quota; OperationError (exit code 2) if it cannot."""
    name, settings = deployment.name, deployment.settings
    url, transport = reached_at(name, settings, lambda: [*deployment.hosts.answering(deployment.say("host")).values()])
    try:
        models = catalogue(url, transport)
    except SilentError as error:
        simulated = settings.upstream == "simulator"
        fix = f"./fridayctl up {name} starts the simulator" if simulated else "try again, or where it can be reached"
        raise OperationError(str(error), fix, EXIT_USAGE) from error
    try:
        deleting = without_retention(url, transport)
    except SilentError:
        deleting = None
    return Live(datetime.now(UTC).date(), models, deleting)


def rows(settings: StackSettings, live: Live) -> Iterator[ModelRow]:
    """Yield the stack's models in their order, then all others that are free now, by id."""
    used = users(settings)
    for model in used:
        yield _row(settings, live, model, used[model])
    for model, entry in sorted(live.models.items()):
        if model not in used and is_free(entry):
            yield _row(settings, live, model, ())


def users(settings: StackSettings) -> dict[str, tuple[str, ...]]:
    """Return every model that a path can ask for, by id, with what names it: a short name, or `friday.directModel`."""
    found = {model.id: (model.name,) for model in settings.models}
    direct = settings.friday.direct_model
    return found | {direct: (*found.get(direct, ()), DIRECT)}


def is_free(entry: Listed) -> bool:
    """Return whether a model could be served: free by its id and by each price, and a chat model."""
    named = entry.id.endswith(":free") or entry.id == FREE_ROUTER
    return named and not price_problem(entry.pricing) and entry.answers_in_text


def problem_of(settings: StackSettings, live: Live, model: str) -> str:
    """Return why a model of the stack should be replaced, "" when there is no reason."""
    found = [text.lstrip(": ") for _, text in flaws(live.models.get(model), live.today)]
    if model in live.models and live.closed(settings, model):
        found.append(f"{' and '.join(settings.data_policy.closing)} leaves no provider for it")
    return "; ".join(found)


def _row(settings: StackSettings, live: Live, model: str, used: tuple[str, ...]) -> ModelRow:
    entry = live.models.get(model)
    return ModelRow(
        model,
        used,
        "" if entry is None else price_problem(entry.pricing) or "0",
        None if entry is None else entry.context_tokens,
        None if entry is None else entry.takes,
        live.prompts_of(settings, model),
        None if entry is None or entry.expiration_date is None else str(entry.expiration_date)[:10],
        problem_of(settings, live, model) if used else "",
    )
