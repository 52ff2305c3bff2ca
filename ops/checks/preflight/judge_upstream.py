"""Verdicts over what OpenRouter says: every model there and free, every key valid and without a dollar on it."""

import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from components.settings.stack import StackSettings
from ops.checks.preflight.facts import Facts
from ops.checks.preflight.upstream import SIMULATOR
from ops.checks.report import Check, State
from ops.errors import OperationError
from ops.metrics.openrouter import KeyUsage, Listed, RefusedError
from ops.metrics.server import SilentError
from ops.rollout.gates.forecast import end_of_today

RETIRING_DAYS = 14
"""How long before its end a model, or a key, is warned of: longer than the wait between two looks in a week."""

FREE_TIER_REQUESTS_PER_DAY = 50
"""What OpenRouter grants an account that never bought credits (its page on limits)."""

_CATALOGUE, _KEY = "catalogue", "key"
_ALWAYS_PRICED = ("prompt", "completion")
_NO_PRICES = ("discount",)  # a share of the prices beside it
_SUGGESTED = 3


def catalogue(facts: Facts) -> Iterator[Check]:
    """Yield a check for each model that is gone, not surely free or about to go; one when all are right."""
    found = facts.upstream
    if found.absent:
        yield Check(_CATALOGUE, "", State.SKIPPED, found.absent)
    elif isinstance(found.models, SilentError):
        yield _unanswered(_CATALOGUE, facts, found.models)
    else:
        used = _used(facts.settings)
        right = True
        for model, users in used.items():
            for state, text in flaws(found.models.get(model), found.now.date()):
                right = False
                fix = _replacement(facts, found.models, users)
                yield Check(_CATALOGUE, "", state, f"{model} ({users}){text}", fix)
        if right:
            yield Check(_CATALOGUE, "", State.OK, f"{len(used)} models listed, every price of them is 0")


def key(facts: Facts) -> Iterator[Check]:
    """Yield the checks of each key: valid, $0 booked, and the account's limits what the settings say."""
    found = facts.upstream
    if found.absent:
        yield Check(_KEY, "", State.SKIPPED, found.absent)
    elif isinstance(found.keys, OperationError):
        yield Check(_KEY, "", State.FAILED, f"the keys cannot be asked about: {found.keys}", found.keys.fix)
    else:
        for name, usage in found.keys.items():
            yield from _about_key(facts, name, usage, found.now)


def price_problem(pricing: object) -> str:
    """Return why a model's prices do not show that it is free, "" when every single one of them is 0."""
    if not isinstance(pricing, Mapping):
        return "its prices are missing"
    missing = [name for name in _ALWAYS_PRICED if name not in pricing]
    if missing:
        return f"its price for {' and '.join(missing)} is missing"
    paid: list[str] = []
    unclear: list[str] = []
    for name, price in pricing.items():
        amount = _dollars(price)
        if amount == 0 or name in _NO_PRICES:
            continue
        (paid if amount is not None and amount > 0 else unclear).append(f"{name} {price!r}")
    if paid:
        return f"it costs money ({', '.join([*paid, *unclear])})"
    return f"it cannot be shown to be free ({', '.join(unclear)})" if unclear else ""


def _dollars(price: object) -> Decimal | None:
    """Return a price as a number, None when it is none; OpenRouter tells it as text."""
    try:
        amount = Decimal(str(price)) if not isinstance(price, bool) else None
    except InvalidOperation:
        return None
    return amount if amount is not None and amount.is_finite() else None


def _used(settings: StackSettings) -> dict[str, str]:
    """Return every model that a path can ask for, with the setting that names it."""
    used = {model.id: f"models: {model.name}" for model in settings.models}
    direct = settings.friday.direct_model
    return used | {direct: f"{used[direct]}, friday.directModel" if direct in used else "friday.directModel"}


def flaws(entry: Listed | None, today: date) -> Iterator[tuple[State, str]]:
    """Yield what is wrong with a model that is used, as the catalogue has it; the words go on after the model's id."""
    if entry is None:
        yield State.FAILED, " is not in OpenRouter's catalogue: retired, or never there"
        return
    if problem := price_problem(entry.pricing):
        yield State.FAILED, f": {problem}"
    told = entry.expiration_date
    if told is None:
        return
    try:
        last = date.fromisoformat(str(told)[:10])
    except ValueError:
        yield State.WARNING, f" is going to be retired, it is not clear when ({told!r})"
        return
    left = (last - today).days
    if left < 0:
        yield State.FAILED, f" is retired since {last}"
    elif left <= RETIRING_DAYS:
        yield State.WARNING, f" retires on {last}, in {left} days"


def _replacement(facts: Facts, listed: Mapping[str, Listed], users: str) -> str:
    """Return how to replace a model in the settings that name it, with some free ones that could take its place."""
    used = _used(facts.settings)
    others = [entry for name, entry in listed.items() if name.endswith(":free") and name not in used]
    staying = (entry for entry in others if entry.expiration_date is None)
    free = [entry.id for entry in staying if not price_problem(entry.pricing)][:_SUGGESTED]
    how = f"./fridayctl models suggest {facts.stack} makes the diff"
    named = f"; listed as free: {', '.join(free)} ({how})" if free else ""
    fixes = [f"replace it in models of Pulumi.{facts.stack}.yaml{named}"] if users.startswith("models:") else []
    if users.endswith("friday.directModel"):
        fixes.append(f"pulumi config set --path friday.directModel ID -s {facts.stack}")
    return ", and ".join(fixes)


def _about_key(facts: Facts, name: str, usage: KeyUsage | SilentError, now: datetime) -> Iterator[Check]:
    own = f"pulumi config set --secret {name} -s {facts.stack}"
    if isinstance(usage, SilentError):
        if not isinstance(usage, RefusedError):
            yield _unanswered(_KEY, facts, usage)
        elif facts.settings.upstream == SIMULATOR:
            # The simulator learns a stack's keys from the very update that this may be.
            yield Check(_KEY, "", State.SKIPPED, f"{name}: the simulator that runs does not know it yet")
        else:
            text = f"{name}: OpenRouter does not accept it ({usage})"
            yield Check(_KEY, "", State.FAILED, text, f"make a key at https://openrouter.ai/keys, then {own}")
        return
    booked = usage.usage + (usage.byok_usage or 0)
    if booked != 0 or not math.isfinite(booked):
        text = f"{name}: OpenRouter has booked ${booked:.6g} on it since it was made, and the stack is to cost $0"
        fix = f"https://openrouter.ai/activity shows for which model; then take a new key for this stack alone: {own}"
        if facts.settings.upstream == SIMULATOR:
            fix = "its /admin/bill shows for which model, and /admin/reset forgets it (docs/SIMULATOR.md)"
        yield Check(_KEY, "", State.FAILED, text, fix)
    problems = list(_limits(facts, name, usage, now, own))
    yield from problems
    if booked == 0 and not problems:
        left = "" if usage.requests_left is None else f", {usage.requests_left:,} free requests left today"
        yield Check(_KEY, "", State.OK, f"{name}: valid, $0 booked{left}")


def _limits(facts: Facts, name: str, usage: KeyUsage, now: datetime, own: str) -> Iterator[Check]:
    if usage.expires_at is not None:
        # OpenRouter says UTC; a moment without zone is taken for that.
        ends = usage.expires_at if usage.expires_at.tzinfo else usage.expires_at.replace(tzinfo=now.tzinfo)
        if ends <= now:
            yield Check(_KEY, "", State.FAILED, f"{name} expired at {ends:%Y-%m-%d %H:%M} UTC", own)
        elif (ends - now).days < RETIRING_DAYS:
            yield Check(_KEY, "", State.WARNING, f"{name} expires at {ends:%Y-%m-%d %H:%M} UTC", own)
    wanted, granted = facts.settings.quota.requests_per_day, usage.requests_per_day
    if granted is None and usage.is_free_tier:
        granted = FREE_TIER_REQUESTS_PER_DAY
    if granted is not None and granted < wanted:
        text = f"{name}: its account may do {granted:,} free requests a day, and quota.requestsPerDay says {wanted:,}"
        fix = f"pulumi config set --path quota.requestsPerDay {granted} -s {facts.stack}, or buy credits of $10 once"
        yield Check(_KEY, "", State.WARNING, text, fix)
    last = end_of_today(usage.requests_left, granted, now) if usage.requests_left and granted else None
    if last:
        left = f"{usage.requests_left:,} of {granted:,} free requests left"
        text = f"{name}: {left}; at today's pace they end about {last:%H:%M} UTC"
        yield Check(_KEY, "", State.WARNING, text, "let the cache answer more, or buy credits of $10 once")
    if usage.requests_left == 0:
        text = f"{name}: no free request is left today; OpenRouter answers 429 until midnight UTC"
        yield Check(_KEY, "", State.WARNING, text, "wait: more keys or accounts do not raise the limit")


def _unanswered(name: str, facts: Facts, silent: SilentError) -> Check:
    if facts.settings.upstream == SIMULATOR:
        # It is a part of the stack: an update is what fixes it.
        return Check(name, "", State.SKIPPED, f"the simulator of the stack does not answer ({silent})")
    fix = f"try again, or from where it can be reached; ./fridayctl up {facts.stack} --offline deploys without asking"
    return Check(name, "", State.FAILED, str(silent), fix)
