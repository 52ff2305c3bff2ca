"""Who calls the model, and for what."""

from dataclasses import dataclass

from friday.llm import constants
from friday.llm.constants import Feature
from friday.llm.errors import InvalidRequest

MAX_TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True)
class Caller:
    """`timeout` replaces the configured deadline, in seconds; an empty `request_id` is filled in."""

    user_id: int | None = None
    feature: Feature = Feature.CHAT
    request_id: str = ""
    timeout: float | None = None

    def __post_init__(self) -> None:
        """Raises InvalidRequest that names the wrong field."""
        user_id = self.user_id
        if user_id is not None and (type(user_id) is not int or not 0 <= user_id <= constants.MAX_USER_ID):
            raise InvalidRequest(f"user_id: must be an integer from 0 to {constants.MAX_USER_ID}", field="user_id")
        if self.timeout is not None and not 0 < self.timeout <= MAX_TIMEOUT_SECONDS:
            raise InvalidRequest(
                f"timeout: must be more than 0 and at most {MAX_TIMEOUT_SECONDS:.0f} seconds", field="timeout"
            )
        if self.feature not in list(Feature):
            raise InvalidRequest(f"feature: must be one of {', '.join(Feature)}", field="feature")
