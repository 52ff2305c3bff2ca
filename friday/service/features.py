"""The features that ask a model: chat, documents, e-mail summaries and e-mail labels."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from friday.llm import Caller, Feature, InvokeResult
from friday.service import prompts
from friday.service.client_disconnect import while_connected
from friday.service.models import (
    ChatAnswer,
    ChatRequest,
    DocsAnswer,
    DocsRequest,
    EmailRequest,
    FeatureRequest,
    LabelsAnswer,
    LabelsRequest,
    SummaryAnswer,
)
from friday.service.replies import ANSWERED, STREAMED, EventStream, answered, llm

router = APIRouter(prefix="/api", responses=ANSWERED)


@router.post("/chat", response_model=ChatAnswer, responses=STREAMED)
async def chat(request: Request, body: ChatRequest) -> Response:
    """Answer a question.

    With `stream` the answer comes as server-sent events: `data: {"delta": "..."}` for each piece,
    then `data: {"done": true, "model": "...", "finish_reason": "..."}`. A stream that breaks ends with
    `event: error` and `data: {"error": {...}}` instead: the pieces so far are not the answer.
    """
    messages = prompts.chat(body.message)
    if body.stream:
        starting = llm(request).stream(_params(body, messages), _caller(request, body, Feature.CHAT))
        answer = await while_connected(request, starting)
        return EventStream(answer, llm(request))
    result = await _ask(request, body, Feature.CHAT, messages)
    return answered(result, llm(request), answer=result.text)


@router.post("/docs", response_model=DocsAnswer)
async def docs(request: Request, body: DocsRequest) -> Response:
    """Write a document in Markdown from a title and notes."""
    result = await _ask(request, body, Feature.DOCS, prompts.document(body.title, body.notes))
    return answered(result, llm(request), document=result.text)


@router.post("/email/summary", response_model=SummaryAnswer)
async def email_summary(request: Request, body: EmailRequest) -> Response:
    """Summarise an e-mail in a few sentences."""
    result = await _ask(request, body, Feature.EMAIL_SUMMARY, prompts.summary(body.subject, body.body))
    return answered(result, llm(request), summary=result.text.strip())


@router.post("/email/labels", response_model=LabelsAnswer)
async def email_labels(request: Request, body: LabelsRequest) -> Response:
    """Suggest labels for an e-mail. An answer that names none of the given labels is an empty list."""
    messages = prompts.labels(body.subject, body.body, body.labels)
    result = await _ask(request, body, Feature.EMAIL_LABELS, messages)
    return answered(result, llm(request), labels=prompts.chosen_labels(result.text, body.labels))


async def _ask(
    request: Request, body: FeatureRequest, feature: Feature, messages: list[prompts.Prompt]
) -> InvokeResult:
    working = llm(request).invoke(_params(body, messages), _caller(request, body, feature))
    return await while_connected(request, working)


def _params(body: FeatureRequest, messages: list[prompts.Prompt]) -> dict[str, object]:
    return {"messages": messages, "model": body.model, "max_tokens": body.max_tokens}


def _caller(request: Request, body: FeatureRequest, feature: Feature) -> Caller:
    return Caller(body.user_id, feature, request.state.request_id)
