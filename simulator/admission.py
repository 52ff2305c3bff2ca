"""Decides the model that answers a request, and whether this account may use it."""

import contextlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from simulator import answers, errors
from simulator.accounts import Account
from simulator.answers import ChatRequest
from simulator.catalogue import Model
from simulator.faults import Fault, Status
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
    model = _route(sim, listed, request, needed)
    _check_endpoint(model, request, tokens, needed)
    admission = Admission(model, tokens, _search_results(request, online=online), None)
    _check_funds(account, request, admission)
    if model.is_free_variant:
        account.take_free_request(sim.accounts.limits, sim.clock.now())
    fault = sim.faults.draw(model.id)
    if isinstance(fault, Status):
        raise errors.status_error(fault, model.id, model.provider_name)
    return Admission(model, tokens, admission.search_results, fault)


def _route(sim: Simulator, listed: Model, request: ChatRequest, needed: int) -> Model:
    """Return the model itself, or the one that a router selects."""
    if listed.routes_to is None:
        return listed
    today = sim.clock.today()
    if listed.routes_to != _FREE:
        return sim.catalogue.resolve(listed.routes_to, today)[0]
    fitting = [
        model for model in sim.catalogue.free(today) if _has_tools(model, request) and needed <= model.context_length
    ]
    if not fitting:
        raise errors.ApiError(404, f"No endpoints found for {listed.id}.")
    return sim.rng.choice(fitting)


def _has_tools(model: Model, request: ChatRequest) -> bool:
    return not request.tools or "tools" in model.supported_parameters


def _check_endpoint(model: Model, request: ChatRequest, tokens: int, needed: int) -> None:
    if not _has_tools(model, request):
        raise errors.ApiError(404, "No endpoints found that support tool use.")
    if model.above(_max_price(request.provider or {})):
        raise errors.ApiError(404, f"No endpoints found for {model.id} within the requested max_price.")
    if needed > model.context_length:
        raise errors.ApiError(
            400,
            f"This endpoint's maximum context length is {model.context_length} tokens. "
            f"However, you requested about {needed} tokens "
            f"({tokens} of text input, {needed - tokens} in the output).",
        )


def _max_price(provider: dict[str, Any]) -> dict[str, float]:
    ceiling = provider.get("max_price") or {}
    try:
        return {str(what): float(price) for what, price in ceiling.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise errors.ApiError(400, "provider.max_price: should map price names to numbers") from error


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
