"""The body of a request: read up to a limit of size and time, and parsed."""

import asyncio
import json
import sys
from typing import Any

from gateway.policy import RefusedError
from serving.drain import Receive, Scope

MAX_BODY_BYTES = 4 * 1024 * 1024
"""Of a chat: a long conversation with a picture or two. The edge has the same limit (`components.edge`)."""

BODY_SECONDS = 30.0  # that a client may take to send its request
REST_BYTES = 64 * 1024 * 1024  # of a refused request that are still received
REST_SECONDS = 10.0


def header(scope: Scope, wanted: bytes) -> str | None:
    """Return the value of a header that came once, else None: of two LiteLLM might read another one than we do."""
    values = [value for name, value in scope["headers"] if name == wanted]
    return values[0].decode("latin-1") if len(values) == 1 else None


async def read(scope: Scope, receive: Receive) -> bytes:
    """Return the body, whether its length was announced or not.

    Raises `RefusedError`: 408, 413, 415 for one that is compressed, 499 when the client goes away.
    """
    encoding = header(scope, b"content-encoding")
    if encoding is not None and encoding.strip().lower() not in ("", "identity"):
        raise RefusedError(415, "unsupported_encoding", "the body should not be compressed (Content-Encoding)")
    announced = header(scope, b"content-length") or "0"
    if announced.isdecimal() and int(announced) > MAX_BODY_BYTES:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RefusedError(499, "client_closed", "the client went away")
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                if size > MAX_BODY_BYTES:
                    raise _too_large()
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError:
        raise RefusedError(408, "too_slow", f"the request took longer than {BODY_SECONDS:g} s to arrive") from None


async def receive_rest(receive: Receive) -> None:
    """Receive what is left of a body, to a limit: a connection that is closed before loses the answer on its way."""
    left = REST_BYTES
    try:
        async with asyncio.timeout(REST_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return


def parsed(body: bytes) -> Any:
    """Return the JSON value of a body; half a surrogate pair in it, half an emoji, becomes U+FFFD.

    Of two members of one name the last one counts. Raises `RefusedError` (400).
    """
    try:
        value = json.loads(body)
        text = json.dumps(value, ensure_ascii=False)
        try:
            text.encode()
        except UnicodeEncodeError:
            value = json.loads(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
    except RecursionError:
        raise _invalid("is nested too deep") from None
    except json.JSONDecodeError as error:
        raise _invalid(f"should be a JSON object ({error.msg} at character {error.pos})") from None
    except UnicodeDecodeError as error:
        raise _invalid(f"should be a JSON object in UTF-8 (byte {error.start} is not)") from None
    except ValueError:
        raise _invalid(f"should hold no number of more than {sys.get_int_max_str_digits()} digits") from None
    return value


def _too_large() -> RefusedError:
    return RefusedError(413, "too_large", f"the body of a request should have at most {MAX_BODY_BYTES} bytes")


def _invalid(expected: str) -> RefusedError:
    return RefusedError(400, "invalid_json", f"the body {expected}")
