"""The forms that the keys of a compose file may have (compose specification), as far as adopt reads them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ops.compose.document import Map, wrong

_Text = str | int | float
_Words = _Text | list[_Text] | None
_Pairs = dict[str, _Text | None] | list[str] | None


class _Shape(BaseModel):
    model_config = ConfigDict(extra="allow")


class _EnvFile(_Shape):
    path: str
    required: bool | str = True
    format: str | None = None


class _Mount(_Shape):
    type: str
    source: str | None = None
    target: str = ""
    tmpfs: dict[str, Any] | None = None


class _Port(_Shape):
    target: _Text
    published: _Text | None = None
    host_ip: str | None = None
    protocol: str = "tcp"


class _Resources(_Shape):
    limits: dict[str, Any] | None = None


class _Deploy(_Shape):
    replicas: _Text | None = None
    resources: _Resources | None = None


class _Health(_Shape):
    test: _Words = None
    start_period: _Text | None = None
    interval: _Text = ""
    retries: _Text = 3


class _Base(_Shape):
    service: str
    file: str | None = None


class _Service(_Shape):
    image: str | None = None
    build: str | dict[str, Any] | None = None
    extends: str | _Base | None = None
    command: _Words = None
    entrypoint: _Words = None
    user: _Text | None = None
    scale: _Text | None = None
    deploy: _Deploy | None = None
    volumes: list[str | _Mount] | None = None
    tmpfs: str | list[str] | None = None
    stop_signal: _Text | None = None
    stop_grace_period: _Text | None = None
    healthcheck: _Health | None = None
    ports: list[_Text | _Port] | None = None
    networks: list[str] | dict[str, dict[str, Any] | None] | None = None
    environment: _Pairs = None
    env_file: str | list[str | _EnvFile] | None = None
    labels: _Pairs = None
    container_name: str | None = None


class _Document(_Shape):
    name: str | None = None
    networks: dict[str, dict[str, Any] | None] | None = None
    volumes: dict[str, dict[str, Any] | None] | None = None


def check_document(document: Map) -> None:
    """Raise OperationError (exit code 2) with file and line for a top-level key of another form."""
    _check(_Document, document, "")


def check_service(name: str, body: Map) -> None:
    """Raise OperationError (exit code 2) with file and line for a service's key of another form."""
    _check(_Service, body, f"services.{name}.")


def _check(shape: type[BaseModel], found: Map, prefix: str) -> None:
    try:
        shape.model_validate(found)
    except ValidationError as error:
        key = str(error.errors(include_input=False)[0]["loc"][0])
        said = f"{prefix}{key} has a form that compose does not know"
        raise wrong(found.where(key), said, f"write {key} as the compose specification does") from None
