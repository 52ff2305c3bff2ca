"""Answers every error with JSON of one shape that names the field and never repeats the input."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from friday.llm.errors import InvalidRequest, LlmError
from friday.llm.monitoring.logger import logger
from friday.service.feedback import HEADER, FeedbackRefusedError, feedback
from friday.service.models import PATTERNS_MEAN, ErrorAnswer, ErrorDetail, FieldProblem

CLIENT_DISCONNECTED = 499  # for the count of requests: no standard status says that the client did not wait


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
    app.exception_handler(LlmError)(_llm_error)
    app.exception_handler(FeedbackRefusedError)(_feedback_refused)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(ClientDisconnect)(_disconnected)
    app.exception_handler(Exception)(_unexpected)


def _answer(status: int, detail: ErrorDetail, headers: dict[str, str] | None = None) -> JSONResponse:
    content = ErrorAnswer(error=detail).model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, status, headers)


def _detail(request: Request, kind: str, message: str, advice: str, **more: Any) -> ErrorDetail:
    return ErrorDetail(kind=kind, message=message, advice=advice, request_id=request.state.request_id, **more)


def _llm_error(request: Request, error: LlmError) -> JSONResponse:
    headers: dict[str, str] = {}
    if error.path is not None:
        headers["x-friday-path"] = error.path
        # Who got no answer may complain too. A wrong request is no call: it may not be worth a rating.
        if not isinstance(error, InvalidRequest):
            headers[HEADER] = feedback(request).token(error.path)
    headers |= _retry_after(error.retry_after)
    return _answer(error.http_status, detail_of(error, request.state.request_id), headers)


def _feedback_refused(request: Request, error: FeedbackRefusedError) -> JSONResponse:
    wait = {"retry_after": error.retry_after} if error.retry_after else {"field": "token"}
    detail = _detail(request, error.kind, str(error), error.advice, **wait)
    return _answer(error.status, detail, _retry_after(error.retry_after))


def _retry_after(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"retry-after": str(max(1, round(seconds)))}


def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    found = error.errors()
    if any(item["type"] in ("json_invalid", "model_attributes_type") for item in found):
        return _not_json(request)
    problems = []
    for item in found[:20]:
        message = PATTERNS_MEAN.get(item.get("ctx", {}).get("pattern"), str(item["msg"]))
        problems.append(FieldProblem(field=_field(item["loc"]), message=message))
    field, message = problems[0].field, f"{problems[0].field}: {problems[0].message}"
    detail = _detail(request, "invalid_request", message, "Correct the named field.", field=field, problems=problems)
    return _answer(422, detail)


def _not_json(request: Request) -> JSONResponse:
    advice = "Send a JSON object, with Content-Type: application/json."
    return _answer(400, _detail(request, "invalid_json", "body: not a JSON object", advice, field="body"))


def _field(location: tuple[int | str, ...]) -> str:
    names = [str(part) for part in location if part != "body"]
    text = ".".join(names)[:100] or "body"
    return text.encode("ascii", "backslashreplace").decode("ascii")


def _http_error(request: Request, error: HTTPException) -> JSONResponse:
    if error.status_code == 400:  # FastAPI's status for bytes that are not JSON
        return _not_json(request)
    kind = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    detail = _detail(request, kind, error.detail, "See /openapi.json for what there is.")
    return _answer(error.status_code, detail, dict(error.headers or {}))


def _disconnected(request: Request, error: Exception) -> Response:
    return Response(status_code=CLIENT_DISCONNECTED)


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    logger.error("unhandled", exc_info=error, extra={"data": {"request_id": request.state.request_id}})
    return _answer(500, _detail(request, "internal", "an unexpected error", "Report it with the request id."))
