"""Health, readiness, metrics and the start page; none of them calls a model."""

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from friday.llm.breaker import State
from friday.service import page
from friday.service.models import Alive, Readiness
from friday.service.replies import llm

HEALTH_PATHS = frozenset({"/healthz", "/readyz"})

router = APIRouter()


@router.get("/", response_class=HTMLResponse)
async def start_page(request: Request) -> HTMLResponse:
    """Say what this is."""
    return HTMLResponse(page.render(llm(request)), headers=page.HEADERS)


@router.get("/healthz", response_model=Alive, responses={503: {"model": Alive, "description": "Draining."}})
async def healthz() -> JSONResponse:
    """Alive. While the service drains, its server answers 503 instead."""
    return JSONResponse({"status": "ok"})


@router.get(
    "/readyz",
    response_model=Readiness,
    responses={503: {"model": Readiness | Alive, "description": "Some users could not get an answer, or draining."}},
)
async def readyz(request: Request) -> JSONResponse:
    """Ready when every user could get an answer. Sends no request."""
    service = llm(request)
    direct = bool(service.config.openrouter_api_key.get_secret_value())
    gateway = service.percentage > 0 and service.breaker.state is not State.OPEN
    # Without the direct path, only a full rollout can answer every user.
    ready = direct or (gateway and service.percentage == 100)
    words = {"status": "ready" if ready else "not ready", "direct": direct, "gateway": gateway}
    return JSONResponse(words, 200 if ready else 503)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Prometheus metrics."""
    registry: CollectorRegistry = request.app.state.registry
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
