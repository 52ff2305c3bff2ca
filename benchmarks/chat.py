"""The requests that load is made of."""

import json

from benchmarks.http_client import Request

PATH_HEADER = "x-friday-path"
"""Who answered: litellm, direct or fallback."""

PERCENTAGE_HEADER = "x-friday-percentage"
"""The percentage that the answering replica was started with: distinguishes a new replica from an old one."""


def chat(user_id: int) -> Request:
    """Return a question to Friday as a user; `user_id % 100` below the percentage goes through the gateway."""
    return _post("/api/chat", {"user_id": user_id, "message": "Are you there?"})


def chat_of_number(number: int) -> Request:
    """Return the question of user `number % 100`."""
    return chat(number % 100)


def completion(path: str, key: str, model: str) -> Request:
    """Return the same question in OpenRouter's form, for the gateway or for the simulator."""
    body = {"model": model, "messages": [{"role": "user", "content": "Are you there?"}], "max_tokens": 64}
    return _post(path, body, {"Authorization": f"Bearer {key}"})


def _post(path: str, body: object, headers: dict[str, str] | None = None) -> Request:
    return Request(path, {"Content-Type": "application/json", **(headers or {})}, json.dumps(body).encode())
