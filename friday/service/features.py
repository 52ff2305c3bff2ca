"""The features that ask a model: chat, documents, e-mail summaries and e-mail labels."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from friday.llm import Caller, Feature, InvokeResult
from friday.service import models, prompts
from friday.service.replies import ANSWERED, STREAMED, EventStream, answered, llm

T = TypeVar("T")

router = APIRouter(prefix="/api", responses=ANSWERED)


@router.post("/chat", response_model=models.ChatAnswer, responses=STREAMED)
async def chat(request: Request, body: models.ChatRequest) -> Response:
    """Answer a question.

    With `stream` the answer comes as server-sent events: `data: {"delta": "..."}` for each piece,
    then `data: {"done": true, "model": "...", "finish_reason": "..."}`. A stream that breaks ends with
    `event: error` and `data: {"error": {...}}` instead: the pieces so far are not the answer.
    """
    messages = prompts.chat(body.message)
    if body.stream:
        starting = llm(request).stream(*_call(request, body, Feature.CHAT, messages))
        return EventStream(request, await _while_connected(request, starting))
    result = await _ask(request, body, Feature.CHAT, messages)
    return answered(request, result, answer=result.text)


@router.post("/docs", response_model=models.DocsAnswer)
async def docs(request: Request, body: models.DocsRequest) -> Response:
    """Write a document in Markdown from a title and notes."""
    result = await _ask(request, body, Feature.DOCS, prompts.document(body.title, body.notes))
    return answered(request, result, document=result.text)


@router.post("/email/summary", response_model=models.SummaryAnswer)
async def email_summary(request: Request, body: models.EmailRequest) -> Response:
    """Summarise an e-mail in a few sentences."""
    result = await _ask(request, body, Feature.EMAIL_SUMMARY, prompts.summary(body.subject, body.body))
    return answered(request, result, summary=result.text.strip())


@router.post("/email/labels", response_model=models.LabelsAnswer)
async def email_labels(request: Request, body: models.LabelsRequest) -> Response:
    """Suggest labels for an e-mail. An answer that names none of the given labels is an empty list."""
    messages = prompts.labels(body.subject, body.body, body.labels)
    result = await _ask(request, body, Feature.EMAIL_LABELS, messages)
    return answered(request, result, labels=prompts.chosen_labels(result.text, body.labels))


async def _ask(
    request: Request, body: models.FeatureRequest, feature: Feature, messages: list[prompts.Prompt]
) -> InvokeResult:
    return await _while_connected(request, llm(request).invoke(*_call(request, body, feature, messages)))


def _call(
    request: Request, body: models.FeatureRequest, feature: Feature, messages: list[prompts.Prompt]
) -> tuple[dict[str, object], Caller]:
    params: dict[str, object] = {"messages": messages, "model": body.model, "max_tokens": body.max_tokens}
    return params, Caller(body.user_id, feature, request.state.request_id)


async def _while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`. When the client disconnects first, cancel it and raise ClientDisconnect."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    # The body was read before; only the end of the connection can still come.
    while (await request.receive())["type"] != "http.disconnect":
        pass
