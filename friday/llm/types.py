"""Callers, and messages, parameters and results in the form of OpenAI's chat completions, the same on both paths."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from friday.llm import constants
from friday.llm.constants import Feature, Path
from friday.llm.errors import InvalidRequest

Role = Literal["system", "user", "assistant", "tool", "function"]
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/\-]*$", max_length=128)]
ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]+$", max_length=64)]


class Input(BaseModel):
    """What a caller sends; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Output(BaseModel):
    """What a model sends; unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore")


class TextPart(Input):
    """A text part of a message."""

    type: Literal["text"]
    text: str


class ImageUrl(Input):
    """Where an image is."""

    url: Annotated[str, StringConstraints(min_length=1)]
    detail: Literal["auto", "low", "high"] | None = None


class ImagePart(Input):
    """An image part of a message."""

    type: Literal["image_url"]
    image_url: ImageUrl


ContentPart = Annotated[TextPart | ImagePart, Field(discriminator="type")]


class FunctionCall(Output):
    """Name and JSON arguments of a tool call."""

    name: str
    arguments: str = ""


class ToolCall(Output):
    """A function call that the model asks for."""

    id: str = ""
    type: Literal["function"] = "function"
    function: FunctionCall


class Message(Input):
    """One message of the conversation."""

    role: Role
    content: str | list[ContentPart] | None = None
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: list[ToolCall] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.content is None and not self.tool_calls:
            raise ValueError("a message needs content or tool_calls")
        return self

    @property
    def chars(self) -> int:
        """Length of the text in characters; an image counts as its URL."""
        if self.content is None:
            return 0
        if isinstance(self.content, str):
            return len(self.content)
        return sum(len(p.text) if isinstance(p, TextPart) else len(p.image_url.url) for p in self.content)


class Function(Input):
    """What a tool does; `parameters` is a JSON schema."""

    name: ToolName
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Tool(Input):
    """A function that the model may call."""

    type: Literal["function"] = "function"
    function: Function


class NamedFunction(Input):
    """The name in an explicit tool choice."""

    name: ToolName


class NamedTool(Input):
    """An explicit tool choice."""

    type: Literal["function"] = "function"
    function: NamedFunction


class JsonSchema(Input):
    """The schema that an answer must follow."""

    name: ToolName
    json_schema: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None


class PlainFormat(Input):
    """Free text, or any JSON object."""

    type: Literal["text", "json_object"]


class SchemaFormat(Input):
    """JSON that follows a schema."""

    type: Literal["json_schema"]
    json_schema: JsonSchema


class InvokeParams(Input):
    """One chat completion.

    `model` is one of Friday's short names, a name that the gateway knows, or an OpenRouter id that ends
    in ":free"; None means the default. The direct path always answers with OPENROUTER_MODEL.
    """

    messages: Annotated[list[Message], Field(min_length=1, max_length=constants.MAX_MESSAGES)]
    model: ModelName | None = None
    tools: Annotated[list[Tool], Field(max_length=128)] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    response_format: PlainFormat | SchemaFormat | None = None
    max_tokens: Annotated[int, Field(ge=1, le=constants.MAX_TOKENS, strict=True)] = constants.MAX_TOKENS
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        chars = sum(message.chars for message in self.messages)
        if chars > constants.MAX_PROMPT_CHARS:
            raise ValueError(f"messages: {chars} characters are more than the limit of {constants.MAX_PROMPT_CHARS}")
        if self.tool_choice not in (None, "none", "auto") and not self.tools:
            raise ValueError("tool_choice: names a tool, but tools is empty")
        return self


class Usage(Output):
    """Tokens and cost (USD) of a call."""

    prompt_tokens: Annotated[int, Field(ge=0)] = 0
    completion_tokens: Annotated[int, Field(ge=0)] = 0
    total_tokens: Annotated[int, Field(ge=0)] = 0
    cost: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class AnswerMessage(Output):
    """The message that the model wrote."""

    role: str = "assistant"
    content: str | None = None
    tool_calls: list[ToolCall] | None = None


class Choice(Output):
    """One of the answers (Friday asks for one)."""

    index: int = 0
    message: AnswerMessage
    finish_reason: str | None = None


class Route(BaseModel):
    """How a call was answered; `reason` says why it fell back, by kind of error."""

    model_config = ConfigDict(frozen=True)

    path: Path
    request_id: str
    reason: str | None = None


class InvokeResult(Output):
    """A complete answer, the same for both paths. `model` is the one that answered."""

    id: str = ""
    created: int = 0
    model: str
    choices: Annotated[list[Choice], Field(min_length=1)]
    usage: Usage | None = None
    route: Route | None = None

    @property
    def text(self) -> str:
        """The answer's text; empty when the model only calls tools."""
        return self.choices[0].message.content or ""


@dataclass(frozen=True)
class Caller:
    """Who calls, and for what. `timeout` replaces the configured deadline, in seconds; an empty id is filled in."""

    user_id: int | None = None
    feature: Feature = Feature.CHAT
    request_id: str = ""
    timeout: float | None = None

    def __post_init__(self) -> None:
        """Raises InvalidRequest that names the wrong field."""
        user_id, limit = self.user_id, constants.MAX_USER_ID
        if user_id is not None and (type(user_id) is not int or not 0 <= user_id <= limit):
            raise InvalidRequest(f"user_id: must be an integer from 0 to {limit}", field="user_id")
        longest = constants.MAX_DEADLINE_SECONDS
        if self.timeout is not None and not 0 < self.timeout <= longest:
            raise InvalidRequest(f"timeout: must be more than 0 and at most {longest} seconds", field="timeout")
        if self.feature not in list(Feature):
            raise InvalidRequest(f"feature: must be one of {', '.join(Feature)}", field="feature")
