"""The ASGI application: OpenRouter's routes, the operator API, health."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from simulator import admin
from simulator.accounts import DAY, Account, KeyLine
from simulator.chat import chat_completions
from simulator.errors import ApiError
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
    for kind in (ApiError, HTTPException, RequestValidationError, Exception):
        app.exception_handler(kind)(_failed)
    return app


async def _failed(request: Request, error: Exception) -> Response:
    """Return any failure in OpenRouter's form; a route of the API that there is not is recorded."""
    match error:
        case ApiError():
            return error.response()
        case RequestValidationError():
            wrong = [f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()]
            return ApiError(400, "; ".join(wrong)).response()
        case HTTPException():
            if request.url.path.startswith("/api/"):
                sim = await serving(request)
                record = sim.journal.open(sim.clock.now(), request.method, request.url.path)
                record.close(sim.clock.now(), "unknown route", error.status_code)
            return ApiError(error.status_code, str(error.detail)).response()
    return ApiError(500, "Internal Server Error").response()


def _authenticated(sim: Simulator, request: Request) -> tuple[Account, KeyLine]:
    """Return the caller's account and key, and record the request. Raises `ApiError` 401."""
    record = sim.journal.open(sim.clock.now(), request.method, request.url.path)
    try:
        account, key = sim.accounts.authenticate(request.headers.get("authorization"))
    except ApiError as error:
        record.close(sim.clock.now(), "refused", error.status)
        raise
    record.account = account.name
    record.close(sim.clock.now(), "ok", 200)
    return account, key


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Report that the process answers."""
    return {"status": "ok"}


@router.get(f"{_API}/models")
async def list_models(sim: Serving) -> dict[str, Any]:
    """Return the public catalogue; needs no key."""
    return {"data": [model.listing() for model in sim.catalogue.live(sim.clock.today())]}


@router.get(f"{_API}/models/{{author}}/{{slug}}/endpoints")
async def list_endpoints(sim: Serving, author: str, slug: str) -> dict[str, Any]:
    """Return a model with what serves it; 404 for a model that is not listed."""
    for model in sim.catalogue.live(sim.clock.today()):
        if model.id == f"{author}/{slug}":
            listing = model.listing()
            shown = {name: listing[name] for name in ("id", "name", "created", "description", "architecture")}
            return {"data": {**shown, "endpoints": [model.endpoint()]}}
    raise ApiError(404, "Model not found")


@router.get(f"{_API}/endpoints/zdr")
async def list_zdr_endpoints(sim: Serving) -> dict[str, Any]:
    """Return the endpoints that keep no prompts."""
    return {"data": [model.endpoint() for model in sim.catalogue.live(sim.clock.today()) if model.zdr]}


@router.get(f"{_API}/key")
@router.get(f"{_API}/auth/key")
async def key_info(sim: Serving, request: Request) -> dict[str, Any]:
    """Return limits and usage of the caller's key; `/auth/key` is the old name."""
    account, key = _authenticated(sim, request)
    now = sim.clock.now()
    account.quota.roll(now)
    limit = account.per_day(sim.accounts.limits)
    used = account.quota.day_used
    today, day = sim.clock.today(), int(now // DAY)
    spans = {"daily": day, "weekly": day - today.weekday(), "monthly": day - today.day + 1}
    return {
        "data": {
            "label": key.label,
            "limit": None,
            "limit_reset": None,
            "limit_remaining": None,
            "include_byok_in_limit": False,
            "usage": dollars(account.usage),
            **{f"usage_{span}": dollars(account.used_since(first)) for span, first in spans.items()},
            "byok_usage": 0,
            **{f"byok_usage_{span}": 0 for span in spans},
            "is_free_tier": account.credits_bought == 0,
            "is_management_key": key.management,
            "is_provisioning_key": key.management,
            "expires_at": None,
            "creator_user_id": account.user_id,
            "rate_limit": {"requests": -1, "interval": "10s", "note": "Deprecated."},
            "free_model_daily_requests": {"limit": limit, "used": used, "remaining": max(0, limit - used)},
        }
    }


@router.get(f"{_API}/credits")
async def credits_info(sim: Serving, request: Request) -> dict[str, Any]:
    """Return the dollars bought and used; management keys only."""
    account, key = _authenticated(sim, request)
    if not key.management:
        raise ApiError(403, "Only management keys can perform this operation")
    return {"data": {"total_credits": dollars(account.credits_bought), "total_usage": dollars(account.usage)}}


@router.get(f"{_API}/generation")
async def generation(sim: Serving, request: Request, id: str) -> dict[str, Any]:
    """Return the usage of one earlier answer; 404 during the first moments after it."""
    account, _ = _authenticated(sim, request)
    for each in sim.generations:
        if (each.data["id"], each.account) == (id, account.name) and each.ready_at <= sim.clock.now():
            return {"data": each.data}
    raise ApiError(404, f"Generation {id} not found")
