"""The ASGI application: OpenRouter's routes, the operator API, health."""

import datetime as dt
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from simulator import admin
from simulator.accounts import DAY, Credential
from simulator.chat import chat_completions
from simulator.errors import ApiError, bad_request, not_found
from simulator.replies import dollars
from simulator.state import Serving, Simulator, serving

_API = "/api/v1"
router = APIRouter()


def create_app(sim: Simulator) -> FastAPI:
    """Return the application of one simulator."""
    app = FastAPI(title="OpenRouter simulator", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.simulator = sim
    # A plain route: the busiest one needs none of FastAPI's parameter handling.
    app.add_route(f"{_API}/chat/completions", chat_completions, methods=["POST"])
    app.include_router(router)
    if sim.settings.admin:
        app.include_router(admin.router)
    app.exception_handler(ApiError)(_api_error)
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(Exception)(_crash)
    return app


async def _api_error(request: Request, error: ApiError) -> Response:
    return error.response()


async def _http_error(request: Request, error: HTTPException) -> Response:
    sim = await serving(request)
    if request.url.path.startswith("/api/"):
        record = sim.journal.open(sim.clock.now(), request.method, request.url.path)
        record.close(sim.clock.now(), "unknown route", error.status_code)
    return ApiError(error.status_code, str(error.detail)).response()


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    wrong = [f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()]
    return bad_request("; ".join(wrong)).response()


async def _crash(request: Request, error: Exception) -> Response:
    return ApiError(500, "Internal Server Error").response()


def _authenticated(sim: Simulator, request: Request) -> Credential:
    """Return the caller's credential and record the request. Raises `ApiError` 401."""
    record = sim.journal.open(sim.clock.now(), request.method, request.url.path)
    try:
        credential = sim.accounts.authenticate(request.headers.get("authorization"))
    except ApiError as error:
        record.close(sim.clock.now(), "refused", error.status)
        raise
    record.account = credential.account.name
    record.close(sim.clock.now(), "ok", 200)
    return credential


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Report that the process answers."""
    return {"status": "ok"}


@router.get(f"{_API}/models")
async def list_models(sim: Serving) -> dict[str, Any]:
    """Return the public catalogue; needs no key."""
    return {"data": [model.listing() for model in sim.catalogue.live(sim.clock.today())]}


@router.get(f"{_API}/key")
@router.get(f"{_API}/auth/key")
async def key_info(sim: Serving, request: Request) -> dict[str, Any]:
    """Return limits and usage of the caller's key; `/auth/key` is the old name."""
    credential = _authenticated(sim, request)
    account, now = credential.account, sim.clock.now()
    account.quota.roll(now)
    limit = sim.accounts.limits.per_day(account.credits_bought)
    used = account.quota.day_used
    today = dt.datetime.fromtimestamp(now, dt.UTC)
    day = int(now // DAY)
    return {
        "data": {
            "label": credential.label,
            "limit": None,
            "limit_reset": None,
            "limit_remaining": None,
            "include_byok_in_limit": False,
            "usage": dollars(account.usage),
            "usage_daily": dollars(account.used_since(day)),
            "usage_weekly": dollars(account.used_since(day - today.weekday())),
            "usage_monthly": dollars(account.used_since(day - today.day + 1)),
            "byok_usage": 0,
            "byok_usage_daily": 0,
            "byok_usage_weekly": 0,
            "byok_usage_monthly": 0,
            "is_free_tier": account.credits_bought == 0,
            "is_management_key": credential.management,
            "is_provisioning_key": credential.management,
            "expires_at": None,
            "creator_user_id": account.user_id,
            "rate_limit": {"requests": -1, "interval": "10s", "note": "Deprecated."},
            "free_model_daily_requests": {"limit": limit, "used": used, "remaining": max(0, limit - used)},
        }
    }


@router.get(f"{_API}/credits")
async def credits_info(sim: Serving, request: Request) -> dict[str, Any]:
    """Return the dollars bought and used; management keys only."""
    credential = _authenticated(sim, request)
    if not credential.management:
        raise ApiError(403, "Only management keys can perform this operation")
    bought, used = credential.account.credits_bought, credential.account.usage
    return {"data": {"total_credits": dollars(bought), "total_usage": dollars(used)}}


@router.get(f"{_API}/generation")
async def generation(sim: Serving, request: Request, id: str) -> dict[str, Any]:
    """Return the usage of one earlier answer; 404 during the first moments after it."""
    credential = _authenticated(sim, request)
    found = sim.generations.find(id, credential.account.name, sim.clock.now())
    if found is None:
        raise not_found(f"Generation {id} not found")
    return {"data": found}
