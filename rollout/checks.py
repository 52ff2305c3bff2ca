"""What is asked of a stack after an update, before it is called up."""

from dataclasses import dataclass

import httpx

from components.settings import StackSettings
from rollout.errors import OperationError
from rollout.hosts import DockerHost

_TIMEOUT_SECONDS = 35.0  # above Friday's own 30 s


@dataclass(frozen=True)
class Answer:
    """What Friday answered a user: over which path, by which model, in how many milliseconds."""

    user_id: int
    path: str
    model: str
    milliseconds: float


def ask(url: str, user_id: int) -> Answer:
    """Ask Friday one question as `user_id`; OperationError when it does not answer 200."""
    try:
        response = httpx.post(
            f"{url}/api/chat",
            json={"user_id": user_id, "message": "Are you there?"},
            timeout=_TIMEOUT_SECONDS,
        )
        response.raise_for_status()
    except httpx.HTTPError as error:
        text = error.response.text[:500] if isinstance(error, httpx.HTTPStatusError) else ""
        mend = "./fridayctl logs shows what Friday and the gateway say"
        raise OperationError(f"Friday at {url} did not answer user {user_id}: {error}", mend, details=text) from error
    return Answer(
        user_id,
        response.headers.get("x-friday-path", ""),
        response.headers.get("x-friday-model", ""),
        response.elapsed.total_seconds() * 1000,
    )


def all_well(stack: str, host: DockerHost) -> None:
    """Raise OperationError with logs and probe output when a container of the stack is not healthy."""
    complaint = host.complaint(stack)
    if complaint:
        mend = f"./fridayctl logs {stack} shows more; ./fridayctl up {stack} tries again"
        raise OperationError(f"{stack}: not everything is healthy", mend, details=complaint)


def both_paths(url: str, settings: StackSettings) -> list[Answer]:
    """Ask once on each path that the rollout percentage uses; OperationError when the wrong path answers.

    Users are assigned by `user_id % 100 < percentage`: user 0 is the first on the gateway, 99 the last.
    """
    percentage = settings.rollout_percentage if settings.litellm_enabled else 0
    expected = [(0, "litellm")] if percentage > 0 else []
    expected += [(99, "direct")] if percentage < 100 else []
    answers = []
    for user_id, path in expected:
        answer = ask(url, user_id)
        if answer.path != path:
            mend = "./fridayctl logs: the gateway, or the model behind it, is not well"
            raise OperationError(f"user {user_id} should be answered over {path} (was: {answer.path})", mend)
        answers.append(answer)
    return answers
