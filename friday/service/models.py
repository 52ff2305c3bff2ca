"""Bodies of the HTTP API. Unknown fields are refused, so a typing mistake is not silently ignored."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from friday.llm.constants import MAX_TOKENS, MAX_USER_ID
from friday.llm.types import ModelName

MAX_MESSAGE_CHARS = 32_000
"""One chat message: about 8,000 tokens."""

MAX_TEXT_CHARS = 100_000
"""An e-mail or the material of a document: about 25,000 tokens."""

UserId = Annotated[int, Field(ge=0, le=MAX_USER_ID, strict=True)]
ShortText = Annotated[str, StringConstraints(max_length=MAX_MESSAGE_CHARS, pattern=r"\S")]
LongText = Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARS, pattern=r"\S")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^\S(.*\S)?$")]


class FeatureRequest(BaseModel):
    """What every feature takes: who asks, and optionally which model answers."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)

    user_id: UserId | None = Field(None, description="Decides the path; without it each call is drawn.")
    model: ModelName | None = Field(None, description="One of Friday's model names, or an id ending in :free.")
    max_tokens: Annotated[int, Field(ge=1, le=MAX_TOKENS, strict=True)] = MAX_TOKENS


class ChatRequest(FeatureRequest):
    """One question."""

    message: ShortText
    stream: Annotated[bool, Field(strict=True)] = Field(False, description="Answer as server-sent events.")


class ChatAnswer(BaseModel):
    """The answer, and the model that gave it."""

    answer: str
    model: str


class DocsRequest(FeatureRequest):
    """What to write a document about."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\S")]
    notes: LongText


class DocsAnswer(BaseModel):
    """A document in Markdown."""

    document: str
    model: str


class EmailRequest(FeatureRequest):
    """An e-mail."""

    subject: Annotated[str, StringConstraints(max_length=1_000)] = ""
    body: LongText


class SummaryAnswer(BaseModel):
    """A few sentences."""

    summary: str
    model: str


class LabelsRequest(EmailRequest):
    """An e-mail and the labels to choose from."""

    labels: Annotated[list[Label], Field(min_length=1, max_length=50)]


class LabelsAnswer(BaseModel):
    """The labels that fit, best first; only ever labels of the request."""

    labels: list[str]
    model: str


class FieldProblem(BaseModel):
    """One wrong field."""

    field: str
    message: str


class ErrorDetail(BaseModel):
    """What went wrong, and what to do."""

    kind: str
    message: str
    advice: str
    request_id: str
    field: str | None = None
    retry_after: float | None = None
    problems: list[FieldProblem] | None = None


class ErrorAnswer(BaseModel):
    """Every answer with a status of 400 and above."""

    error: ErrorDetail
