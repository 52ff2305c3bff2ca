"""A client of a server that answers by HTTP, as Prometheus and Alertmanager do, and the error of one that does not."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

SECONDS = 10.0
"""How long one answer may take: the whole of `status` is meant to take 3 s."""

_Found = TypeVar("_Found")


class SilentError(Exception):
    """A source of metrics gave no usable answer; the text says which and why."""


def answered(ask: Callable[[], _Found]) -> _Found | SilentError:
    """Return what `ask` returns, or the SilentError that it raises."""
    try:
        return ask()
    except SilentError as error:
        return error


class Server:
    """Asks one server. Usable by several threads at once; `close` it at the end."""

    software: ClassVar[str]
    """Its name in errors."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.Client(timeout=SECONDS, transport=transport, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _request(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """Return the answer; `sent` is what httpx takes. Raises SilentError when there is none, or an error."""
        try:
            response = self._client.request(method, f"{self._url}{path}", **sent)
        except httpx.HTTPError as error:
            said = f"{self.software} at {self._url} does not answer ({error or type(error).__name__})"
            raise SilentError(said) from error
        if response.status_code != httpx.codes.OK:
            said = response.text[:300]
            raise SilentError(f"{self.software} at {self._url} answers {response.status_code}: {said}")
        return response

    def _read(self, kind: TypeAdapter[_Found], response: httpx.Response) -> _Found:
        """Return what an answer says. Raises SilentError when it is of another form."""
        try:
            return kind.validate_json(response.content)
        except ValidationError as error:
            raise SilentError(f"what answers at {self._url} is no {self.software}") from error
