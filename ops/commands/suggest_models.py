"""Proposes models in the place of those that a stack can no longer use, as a diff of its file."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.catalogue import FreeModel
from components.settings.stack import StackSettings
from ops.commands.models import DIRECT, Live, is_free, problem_of, users
from ops.metrics.openrouter import Listed
from ops.stacks.stack_file_edit import Item, StackFileText


@dataclass(frozen=True)
class Replacement:
    """A model that should go: by its id, what names it, why, and the id that could take its place, if there is one."""

    old: str
    used: tuple[str, ...]
    why: str
    new: str | None


@dataclass(frozen=True)
class Suggestion:
    """What should be replaced, and how the stack file would change; `diff` is "" when it would not."""

    replacements: Sequence[Replacement]
    diff: str


def suggest(name: str, text: str, settings: StackSettings, live: Live) -> Suggestion:
    """Return what to replace in the models of a stack whose file has this text. Nothing is written.

    A replacement answers to all names of the model that it replaces, so no client has to change.
    """
    bad = [(model, used, why) for model, used in users(settings).items() if (why := problem_of(settings, live, model))]
    free = _candidates(settings, live)
    replacements = []
    for model, used, why in bad:
        wanted = next((each.takes or () for each in settings.models if each.id == model), ())
        best = max(free, key=lambda entry: _worth(entry, wanted), default=None)
        replacements.append(Replacement(model, used, why, None if best is None else best.id))
        free = [entry for entry in free if entry is not best]
    return Suggestion(replacements, _diff(StackFileText(name, text), settings, live, replacements))


def _candidates(settings: StackSettings, live: Live) -> list[Listed]:
    """Return the free models that the stack does not use, that stay, and that its data policy does not close."""
    used = users(settings)
    others = [entry for model, entry in live.models.items() if model not in used and model.endswith(":free")]
    staying = [each for each in others if is_free(each) and each.expiration_date is None]
    return [entry for entry in staying if not live.closed(settings, entry.id)]


def _worth(entry: Listed, wanted: Sequence[str]) -> tuple[bool, int, int, int, str]:
    """Return what a candidate is ordered by: it takes what the old one took, takes more, has more room, is newer."""
    takes = entry.takes or ()
    created = entry.created if isinstance(entry.created, int) else 0
    return {*wanted} <= {*takes}, len(takes), entry.context_tokens or 0, created, entry.id


def _diff(file: StackFileText, settings: StackSettings, live: Live, replacements: Sequence[Replacement]) -> str:
    by_id = {each.old: each.new for each in replacements if each.new}
    items = {model.id: _item(settings, live, model, by_id[model.id]) for model in settings.models if model.id in by_id}
    if items and not file.has("models"):
        file.add_list("models", [items.get(model.id) or _as_written(model) for model in settings.models])
    for number, model in enumerate(settings.models):
        if model.id in items:
            if file.has("models"):
                file.replace_item("models", number, items[model.id])
            file.replace_word("fallbackOrder", model.name, str(items[model.id]["name"]))
    direct = by_id.get(settings.friday.direct_model)
    if direct:
        file.set_in("friday", DIRECT.partition(".")[2], direct)
    return file.diff


def _item(settings: StackSettings, live: Live, old: FreeModel, new: str) -> Item:
    entry = live.models[new]
    taken = {name for model in settings.models for name in model.client_names}
    vendor, _, short = new.removesuffix(":free").partition("/")
    name = next(each for each in (short, f"{vendor}-{short}", f"{vendor}-{short}-free") if each not in taken)
    model = FreeModel(
        name=name,
        id=new,
        aliases=tuple(each for each in old.client_names if each != f"openrouter/{new}"),
        takes=entry.takes,
        context_tokens=entry.context_tokens,
        prompts=live.prompts_of(settings, new),
    )
    return _as_written(model)


def _as_written(model: FreeModel) -> Item:
    written = model.model_dump(by_alias=True, exclude_none=True)
    return {name: value for name, value in written.items() if value or name == "takes"}
