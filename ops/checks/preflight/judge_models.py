"""Verdicts over what the settings say of the models, beside what OpenRouter's catalogue says of them."""

from collections.abc import Iterable, Iterator

from components.catalogue import FRIDAY_NAMES, FreeModel
from ops.checks.preflight.facts import Facts
from ops.checks.preflight.upstream import SIMULATOR
from ops.checks.report import Check, State
from ops.metrics.openrouter import Listed
from ops.metrics.server import SilentError

_NAME = "catalogue"


def abilities(facts: Facts) -> Iterator[Check]:
    """Yield a warning for each model that takes more or less than the settings say, with the lines to write."""
    found = facts.upstream
    if found.absent or isinstance(found.models, SilentError):
        return  # `judge_upstream.catalogue` says so
    for model in facts.settings.models:
        entry = found.models.get(model.id)
        differs = [] if entry is None else list(differences(model, entry))
        if differs:
            said = "; ".join(f"{said}, the settings say {own}" for said, own, _ in differs)
            lines = ", ".join(line for _, _, line in differs)
            fix = f"in models of Pulumi.{facts.stack}.yaml (where there are none, of components/models.yaml): {lines}"
            yield Check(_NAME, "", State.WARNING, f"{model.id} (models: {model.name}) {said}", fix)


def names(facts: Facts) -> Iterator[Check]:
    """Yield a warning for the names that Friday can ask for and no model answers to."""
    known = {name for name, _ in facts.settings.client_names()}
    missing = [name for name in FRIDAY_NAMES if name not in known]
    if missing:
        text = f"no model answers to {', '.join(missing)}: a call of Friday's that names one is refused and falls back"
        fix = f"add each to the aliases of a model in models of Pulumi.{facts.stack}.yaml"
        yield Check("names", "", State.WARNING, text, fix)


def differences(model: FreeModel, entry: Listed) -> Iterator[tuple[str, str, str]]:
    """Yield what the catalogue says of a model, what the settings say instead, and the right line, where they differ.

    What the settings leave out, and what the catalogue does not tell in its usual form, is not compared.
    """
    if model.takes is not None and entry.takes is not None and {*model.takes} != {*entry.takes}:
        yield f"takes {_listed(entry.takes)}", _listed(model.takes), f"takes: [{', '.join(entry.takes)}]"
    if model.context_tokens is not None and entry.context_tokens not in (None, model.context_tokens):
        told = entry.context_tokens
        yield f"has a context of {told} tokens", str(model.context_tokens), f"contextTokens: {told}"


def _listed(takes: tuple[str, ...]) -> str:
    return " and ".join(takes) or "text alone"


def data_policy(facts: Facts) -> Iterator[Check]:
    """Yield whether what providers do with prompts was decided, and which models that decision closes."""
    settings, policy = facts.settings, facts.settings.data_policy
    if settings.upstream == SIMULATOR:
        return
    if not policy.demands:
        yield _undecided(facts)
        return
    closed = [model for model in settings.models if policy.closes(model.prompts)]
    if closed:
        asked = " and ".join(policy.closing)
        text = f"{asked} leaves no provider for {_names(closed)}, as far as is known: OpenRouter answers 404 for them"
        yield Check("data policy", "", State.WARNING, text, f"./fridayctl models suggest {facts.stack}")
    if policy.closing and settings.friday.image:
        text = (
            "the direct path of a Friday image of your own does not ask for what dataPolicy says, unless it reads "
            "OPENROUTER_DATA_COLLECTION and OPENROUTER_ZDR"
        )
        fix = "set the same for the whole account at https://openrouter.ai/settings/privacy"
        yield Check("data policy", "", State.WARNING, text, fix)
    if not closed and not policy.closing:
        yield Check("data policy", "", State.OK, "dataPolicy.dataCollection: allow, as was decided")


def _undecided(facts: Facts) -> Check:
    groups = {
        "train on them": [model for model in facts.settings.models if model.prompts == "trained-on"],
        "keep them": [model for model in facts.settings.models if model.prompts == "kept"],
        "do not say": [model for model in facts.settings.models if model.prompts is None],
    }
    told = "; ".join(f"{verb}: {_names(models)}" for verb, models in groups.items() if models)
    text = f"nobody has decided what providers may do with prompts, and Friday's e-mail features send e-mails ({told})"
    fix = (
        f"docs/DATA_POLICY.md, then: pulumi config set --path dataPolicy.dataCollection deny -s {facts.stack} "
        "(or allow, which ends this warning)"
    )
    state = State.WARNING if told else State.OK
    return Check("data policy", "", state, text if told else "no provider keeps prompts", fix if told else "")


def _names(models: Iterable[FreeModel]) -> str:
    return ", ".join(model.name for model in models)
