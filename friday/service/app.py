"""Builds the web application of the service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import prometheus_client as metrics
from fastapi import FastAPI
from starlette.types import ASGIApp

from friday.llm import LlmRouter
from friday.llm.monitoring.logger import UserHasher
from friday.service import exception_handlers, features, rating, routes
from friday.service.feedback import Feedback
from friday.service.request_middleware import RequestMiddleware
from friday.service.settings import ServiceSettings


def create_app(settings: ServiceSettings) -> ASGIApp:
    """Return the whole application; its connections live from start-up to shutdown."""
    # It would add a second series to each counter, which no query uses.
    metrics.disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = metrics.CollectorRegistry()
    for collector in (metrics.ProcessCollector, metrics.PlatformCollector, metrics.GCCollector):
        collector(registry=registry)

    secret = settings.jwt_secret.get_secret_value().encode()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.llm = LlmRouter(settings, registry=registry, hash_user=UserHasher(secret))
        yield
        await app.state.llm.aclose()

    app = FastAPI(
        title="Friday AI, reference service",
        version="0.1.0",
        lifespan=lifespan,
        docs_url=None,  # their scripts would come from a CDN
        redoc_url=None,
    )
    app.state.registry = registry
    app.state.feedback = Feedback(secret, registry)
    app.include_router(routes.router)
    app.include_router(features.router)
    app.include_router(rating.router)
    exception_handlers.install(app)
    served = [*routes.router.routes, *features.router.routes, *rating.router.routes]
    paths = ["/openapi.json", *(getattr(route, "path", "") for route in served)]
    return RequestMiddleware(app, registry=registry, paths=paths, small=rating.PATHS)
