"""The environment variables of the LLM client, and the reader for them and for the service's own."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from friday.llm import constants
from friday.llm.errors import ConfigurationError

M = TypeVar("M", bound=BaseModel)
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")


def whole_number(value: object) -> object:
    """Convert the text of an integer. Raises ValueError for others, such as "10.5", "ten" or "1_0"."""
    if not isinstance(value, str):
        return value
    if not _INTEGER.fullmatch(value.strip()):
        raise ValueError("not an integer")
    return int(value)


def _user_ids(value: object) -> object:
    """Convert the text of user ids with commas between them. Raises ValueError for another text."""
    if not isinstance(value, str):
        return value
    ids = [whole_number(each) for each in value.split(",")]
    if not all(isinstance(each, int) and 0 <= each <= constants.MAX_USER_ID for each in ids):
        raise ValueError("not the id of a user")
    return ids


def _base_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises for an invalid port
    except ValueError as error:
        raise ValueError(f"not a URL: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not an http(s) URL")
    if parts.username or parts.password or parts.query or parts.fragment or any(c.isspace() for c in value):
        raise ValueError("a base URL has no user, query, fragment or space")
    return value.rstrip("/")


def _free_model(value: str) -> str:
    model = value.removeprefix(constants.GATEWAY_PREFIX)
    if not model.endswith(constants.FREE_SUFFIX) or not re.fullmatch(r"[\w.\-]+/[\w.\-]+:free", model):
        raise ValueError("not the id of a free model")
    return model


def _header_safe(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]*", value.get_secret_value()):
        raise ValueError("it contains spaces or characters that are not allowed in a header")
    return value


Key = Annotated[SecretStr, AfterValidator(_header_safe)]
WholeNumber = BeforeValidator(whole_number)
BaseUrl = Annotated[str, AfterValidator(_base_url)]
FreeModel = Annotated[str, AfterValidator(_free_model)]
Flag = Annotated[bool, BeforeValidator(lambda value: value is True or value == "true")]


def variable(name: str, description: str, default: Any = ..., *, example: str = "...") -> Any:
    """Return the field of a setting: its environment variable, what that should hold, and an example for a message."""
    return Field(default, validation_alias=name, description=description, examples=[example])


class LlmConfig(BaseModel):
    """The settings of `invoke_llm`."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    enable_litellm: Flag = variable("ENABLE_LITELLM", "the string true, else off", False)
    rollout_percentage: Annotated[int, WholeNumber, Field(ge=0, le=100)] = variable(
        "LITELLM_ROLLOUT_PERCENTAGE", "an integer from 0 to 100", 0, example="10"
    )
    testers: Annotated[frozenset[int], BeforeValidator(_user_ids)] = variable(
        "LITELLM_TESTERS", "user ids with commas between them", frozenset(), example="7,70"
    )
    compare_testers: Flag = variable("LITELLM_COMPARE_TESTERS", "the string true, else off", False)
    litellm_base_url: BaseUrl = variable(
        "LITELLM_BASE_URL",
        "the http(s) URL of the gateway",
        constants.DEFAULT_LITELLM_BASE_URL,
        example="http://edge:4000",
    )
    openrouter_api_key: Key = variable("OPENROUTER_API_KEY", "the key of the direct path", SecretStr(""))
    openrouter_model: FreeModel = variable(
        "OPENROUTER_MODEL",
        "the id of a free model, which ends in :free",
        constants.DEFAULT_DIRECT_MODEL,
        example="google/gemma-4-31b-it:free",
    )
    openrouter_base_url: BaseUrl = variable(
        "OPENROUTER_BASE_URL",
        "the http(s) URL of OpenRouter's API",
        constants.DEFAULT_OPENROUTER_BASE_URL,
        example=constants.DEFAULT_OPENROUTER_BASE_URL,
    )
    openrouter_data_collection: Literal["allow", "deny"] | None = variable(
        "OPENROUTER_DATA_COLLECTION", "allow or deny, or left out", None, example="deny"
    )
    openrouter_zdr: Flag = variable("OPENROUTER_ZDR", "the string true, else off", False)
    deadline_seconds: Annotated[float, Field(gt=0, le=constants.MAX_DEADLINE_SECONDS, allow_inf_nan=False)] = variable(
        "LLM_DEADLINE_SECONDS",
        "seconds that one call may take, more than 0 and at most 600",
        constants.DEADLINE_SECONDS,
        example="30",
    )

    @property
    def demands(self) -> Mapping[str, str | bool]:
        """Return what the direct path asks of OpenRouter's providers (fields of its `provider`)."""
        asked = {"data_collection": self.openrouter_data_collection, "zdr": self.openrouter_zdr}
        return {name: value for name, value in asked.items() if value}


def read_environment(model: type[M], environ: Mapping[str, str]) -> M:
    """Read `model` from its aliases in `environ`; `X_FILE` names a file that holds X.

    Raises ConfigurationError with one message: for each wrong variable its name, what was expected,
    what was found (never a secret) and the fix.
    """
    fields = {str(field.validation_alias): field for field in model.model_fields.values()}
    values: dict[str, str] = {}
    problems: dict[str, str] = {}
    for name in fields:
        try:
            if value := _lookup(name, environ):
                values[name] = value
        except ValueError as error:
            problems[name] = str(error)
    try:
        settings = model.model_validate(values)
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False):
            name = str(item["loc"][0])
            problems.setdefault(name, _problem(fields[name], name, values.get(name), item["msg"]))
    if problems:
        lines = "\n".join(f"  {name}: {problem}" for name, problem in problems.items())
        raise ConfigurationError(f"the environment is incomplete or wrong:\n{lines}", field=next(iter(problems)))
    return settings


def _lookup(name: str, environ: Mapping[str, str]) -> str:
    file = environ.get(f"{name}_FILE")
    if not file:
        return environ.get(name, "")
    if environ.get(name):
        raise ValueError(f"expected one source, found {name} and {name}_FILE; unset one of them")
    try:
        value = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ValueError(
            f"expected a readable file, found {name}_FILE={file} ({reason}); "
            "create it readable for the service's user, or correct the path"
        ) from None
    if not value:
        raise ValueError(f"expected a value, found an empty file {name}_FILE={file}; write the value into it")
    return value


def _problem(field: FieldInfo, name: str, found: str | None, reason: str) -> str:
    secret = "Secret" in str(field.annotation)
    shown = "nothing" if found is None else "a secret value" if secret else repr(found[:80])
    fix = f"set {name}={(field.examples or ['...'])[0]}" + (f" or {name}_FILE=/path/to/file" if secret else "")
    why = "" if found is None else f" ({reason.removeprefix('Value error, ')})"
    return f"expected {field.description}, found {shown}{why}; {fix}"
