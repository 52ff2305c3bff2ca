"""Bodies of the HTTP API. Unknown fields are refused, so a typing mistake is not silently ignored."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from friday.llm.constants import MAX_TOKENS, MAX_USER_ID
from friday.llm.types import ModelName
from friday.service.feedback import Rating

MAX_MESSAGE_CHARS = 32_000  # one chat message: about 8,000 tokens
MAX_TEXT_CHARS = 100_000  # an e-mail, or the notes for a document: about 25,000 tokens


def _whole(value: object) -> object:
    """JSON has one kind of number: 7.0 is the integer 7, and some encoders write it so."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


# friday.llm refuses a paid model with its own error; here the rule is only described.
_FREE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._:\-]*(/[A-Za-z0-9._:/\-]*:free)?$"
FreeName = Annotated[ModelName, WithJsonSchema({"type": "string", "maxLength": 128, "pattern": _FREE_NAME})]
Whole = BeforeValidator(_whole)
UserId = Annotated[int, Field(ge=0, le=MAX_USER_ID, strict=True), Whole]

# Dialects of regular expressions differ in what counts as a space; with these characters added, they agree.
_VISIBLE = r"[^\s\u0085\ufeff\x1c-\x1f]"
_ONE_LINE = rf"^{_VISIBLE}([^\n\r\u2028\u2029]*{_VISIBLE})?$"
_GIVEN = r"^[A-Za-z0-9._\-]{1,200}$"
PATTERNS_MEAN = {
    _VISIBLE: "must not be blank",
    _ONE_LINE: "must be one line, without spaces around it",
    _GIVEN: "must be the X-Friday-Feedback of an answer",
}
"""What an error says instead of quoting the pattern."""

ShortText = Annotated[str, StringConstraints(max_length=MAX_MESSAGE_CHARS, pattern=_VISIBLE)]
LongText = Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARS, pattern=_VISIBLE)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=_ONE_LINE)]


class FeatureRequest(BaseModel):
    """The fields of every feature: the user, and optionally the model that answers."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)

    user_id: UserId | None = Field(None, description="Decides the path; without it each call is drawn.")
    model: FreeName | None = Field(None, description="One of Friday's model names, or an id ending in :free.")
    max_tokens: Annotated[int, Field(ge=1, le=MAX_TOKENS, strict=True), Whole] = MAX_TOKENS


class ChatRequest(FeatureRequest):
    """One question."""

    message: ShortText
    stream: Annotated[bool, Field(strict=True)] = Field(False, description="Answer as server-sent events.")


class ChatAnswer(BaseModel):
    """The answer, and the model that gave it."""

    answer: str
    model: str


class ChatPiece(BaseModel):
    """One event of a streamed answer: its next piece."""

    delta: str


class ChatEnd(BaseModel):
    """The last event of a streamed answer that is complete."""

    done: Literal[True]
    model: str
    finish_reason: str


class DocsRequest(FeatureRequest):
    """What to write a document about."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_VISIBLE)]
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


class FeedbackRequest(BaseModel):
    """A rating. There is no place for a text, on purpose: nobody reads one here."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, StringConstraints(pattern=_GIVEN)] = Field(
        description="X-Friday-Feedback of the answer, as it came."
    )
    rating: Rating = Field(description="A thumb up or down, or a complaint.")


class FeedbackAnswer(BaseModel):
    """Whether the rating counts: false for an answer that was rated before."""

    counted: bool


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


class Alive(BaseModel):
    """The process serves; while it drains, `status` is "draining"."""

    status: Literal["ok", "draining"]


class Readiness(BaseModel):
    """Which paths could answer."""

    status: Literal["ready", "not ready"]
    direct: bool
    gateway: bool


class ErrorAnswer(BaseModel):
    """Every answer with a status of 400 and above."""

    error: ErrorDetail
