"""Decides the model that answers a request, and whether this account may use it."""

import contextlib
from dataclasses import dataclass
from decimal import Decimal

from pydantic import ValidationError

from simulator import abilities, answers, errors
from simulator.accounts import Account
from simulator.answers import ChatRequest
from simulator.catalogue import Model
from simulator.faults import Fault, Refusal, Status
from simulator.refusals import refused
from simulator.state import Simulator

WEB_RESULT_PRICE = Decimal("0.004")
"""Dollars for one web result: 4 for a thousand, free models included."""
_WEB_RESULTS = 5
_MOST_MODELS = 3
_FREE = "free"


@dataclass(frozen=True)
class Admission:
    """A request that `model` will answer, unless `fault` prevents it."""

    model: Model
    prompt_tokens: int
    search_results: int
    fault: Fault | None

    def cost(self, completion_tokens: int) -> Decimal:
        """Return the price of the answer in dollars."""
        return self.model.cost(self.prompt_tokens, completion_tokens) + WEB_RESULT_PRICE * self.search_results


def parse(body: bytes) -> ChatRequest:
    """Return the request in a body. Raises `ApiError` 400."""
    try:
        request = ChatRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise errors.ApiError(400, f"{where}: {first['msg']}" if where else first["msg"]) from error
    if len(request.models) > _MOST_MODELS:
        raise errors.ApiError(400, f"'models' array must have {_MOST_MODELS} items or fewer.")
    if not request.model and not request.models:
        raise errors.ApiError(400, "No models provided")
    return request


def admit(sim: Simulator, account: Account, request: ChatRequest) -> Admission:
    """Return the first wanted model that can answer; after any error the next is tried.

    Raises `ApiError`, that of the last model, when none can answer.
    """
    *before, last = request.wanted_models
    for name in before:
        with contextlib.suppress(errors.ApiError):
            return _admit_one(sim, account, request, name)
    return _admit_one(sim, account, request, last)


def _admit_one(sim: Simulator, account: Account, request: ChatRequest, name: str) -> Admission:
    listed, online = sim.catalogue.resolve(name, sim.clock.today())
    tokens = answers.prompt_tokens(request)
    needed = tokens + (request.token_limit or 0)
    model = _route(sim, listed, request, tokens, needed)
    _check_account(account, model)
    if (misfit := abilities.misfit(model, request, tokens, needed)) is not None:
        raise misfit
    admission = Admission(model, tokens, _search_results(request, online=online), None)
    _check_funds(account, request, admission)
    if model.is_free_variant:
        account.take_free_request(sim.accounts.limits, sim.clock.now())
    fault = sim.faults.draw(model.id)
    if isinstance(fault, Status):
        raise errors.status_error(fault, model.id, model.provider_name)
    if isinstance(fault, Refusal):
        raise refused(fault.refusal, model.id, model.provider_name)
    return Admission(model, tokens, admission.search_results, fault)


def _check_account(account: Account, model: Model) -> None:
    """Refuse what an account's settings close, and a model that is closed to plain callers."""
    if account.blocked_by is not None:
        raise refused(account.blocked_by, model.id, model.provider_name)
    if model.closed:
        raise refused("closed", model.id, model.provider_name)


def _route(sim: Simulator, listed: Model, request: ChatRequest, tokens: int, needed: int) -> Model:
    """Return the model itself, or the one that a router selects."""
    if listed.routes_to is None:
        return listed
    today = sim.clock.today()
    if listed.routes_to != _FREE:
        return sim.catalogue.resolve(listed.routes_to, today)[0]
    fitting = [model for model in sim.catalogue.free(today) if abilities.misfit(model, request, tokens, needed) is None]
    if not fitting:
        raise refused("retired", listed.id, listed.provider_name)
    return sim.rng.choice(fitting)


def _search_results(request: ChatRequest, *, online: bool) -> int:
    web = next((plugin for plugin in request.plugins if plugin.id == "web"), None)
    if web is not None:
        return web.max_results or _WEB_RESULTS
    return _WEB_RESULTS if online or request.web_search_options is not None else 0


def _check_funds(account: Account, request: ChatRequest, admission: Admission) -> None:
    model = admission.model
    if model.needs_credits:
        raise errors.insufficient_credits(ever_bought=account.credits_bought > 0)
    account.require_funds(chargeable=admission.search_results > 0 or not model.pricing.is_zero())
    limit, price = request.token_limit, Decimal(model.pricing.completion)
    if limit and price > 0 and admission.cost(limit) > account.balance:
        affordable = max(0, int((account.balance - admission.cost(0)) / price))
        raise errors.cannot_afford(limit, affordable)
