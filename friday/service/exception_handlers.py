"""Answers every error with JSON of one shape that names the field and never repeats the input."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from friday.llm.errors import LlmError
from friday.llm.monitoring.logger import logger
from friday.service.models import PATTERNS_MEAN, ErrorAnswer, ErrorDetail, FieldProblem

CLIENT_DISCONNECTED = 499
"""Counted when a client disconnects before it has its answer; there is no standard status for that."""


def detail_of(error: LlmError, request_id: str) -> ErrorDetail:
    """The JSON form of a typed error."""
    return ErrorDetail(
        kind=error.kind,
        message=str(error),
        advice=error.advice,
        request_id=request_id,
        field=error.field,
        retry_after=error.retry_after,
    )


def install(app: FastAPI) -> None:
    """Register the handlers on `app`."""
    app.add_exception_handler(LlmError, _llm_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _disconnected)
    app.add_exception_handler(Exception, _unexpected)


def _answer(status: int, detail: ErrorDetail, headers: dict[str, str] | None = None) -> JSONResponse:
    content = ErrorAnswer(error=detail).model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, status, headers)


def _llm_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LlmError)  # noqa: S101 (registered for this type; tells the type checker)
    headers: dict[str, str] = {}
    if error.path is not None:
        headers["x-friday-path"] = error.path
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after)))
    return _answer(error.http_status, detail_of(error, request.state.request_id), headers)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    found = error.errors()
    problems = [FieldProblem(field=_field(item["loc"]), message=_message(item)) for item in found[:20]]
    not_json = any(item["type"] in ("json_invalid", "model_attributes_type") for item in found)
    if not_json:
        return _not_json(request)
    first = problems[0]
    detail = ErrorDetail(
        kind="invalid_request",
        message=f"{first.field}: {first.message}",
        advice="Correct the named field.",
        request_id=request.state.request_id,
        field=first.field,
        problems=problems,
    )
    return _answer(422, detail)


def _not_json(request: Request) -> JSONResponse:
    detail = ErrorDetail(
        kind="invalid_json",
        message="body: not a JSON object",
        advice="Send a JSON object, with Content-Type: application/json.",
        request_id=request.state.request_id,
        field="body",
    )
    return _answer(400, detail)


def _field(location: tuple[int | str, ...]) -> str:
    names = [str(part) for part in location if part != "body"]
    text = ".".join(names)[:100] or "body"
    return text.encode("ascii", "backslashreplace").decode("ascii")


def _message(item: dict[str, Any]) -> str:
    pattern = item.get("ctx", {}).get("pattern")
    return PATTERNS_MEAN.get(pattern, str(item["msg"]))


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code == 400:  # FastAPI's status for bytes that are not JSON
        return _not_json(request)
    detail = ErrorDetail(
        kind={404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error"),
        message=error.detail,
        advice="See /openapi.json for what there is.",
        request_id=request.state.request_id,
    )
    return _answer(error.status_code, detail, dict(error.headers or {}))


def _disconnected(request: Request, error: Exception) -> Response:
    """Nobody reads this answer; the status is for the count of requests."""
    return Response(status_code=CLIENT_DISCONNECTED)


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    logger.error("unhandled", exc_info=error, extra={"data": {"request_id": request.state.request_id}})
    detail = ErrorDetail(
        kind="internal",
        message="an unexpected error",
        advice="Report it with the request id.",
        request_id=request.state.request_id,
    )
    return _answer(500, detail)
