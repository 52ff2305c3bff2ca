"""What can go wrong with an LLM call.

LlmError
 ├─ ConfigurationError      a setting is missing or wrong; no request was made
 ├─ InvalidRequest          the caller's arguments; no request was made
 │   └─ PaidModelRefused
 ├─ LlmTimeout              no (complete) answer within the deadline
 ├─ RateLimited             429: this model or gateway is busy
 │   └─ QuotaSpent          429: the account's free quota is used up
 ├─ AccountRefused          OpenRouter refuses the account, whatever model is asked
 │   ├─ AuthenticationFailed    the key, or the gateway's credential
 │   ├─ KeyLimitReached
 │   ├─ PaymentRequired         402
 │   └─ DataPolicyRefused       the account's privacy settings or guardrails
 ├─ Unavailable             no connection, or a 5xx
 │   └─ GatewayClosed       503: the operator closed the gateway at the edge
 ├─ RequestRefused          the models do not take this request
 │   └─ ModelNotFound       the model is gone, or closed to this caller
 └─ BadResponse             a success status without a usable answer
     ├─ EmptyAnswer
     └─ StreamBroken        the stream ended early, after text was shown
"""

# ruff: noqa: N818 (the names say what happened; eighteen times "Error" would add nothing)
from typing import ClassVar


class LlmError(Exception):
    """Base of every error of friday.llm.

    `kind` is a short stable name (also a metric label), `advice` says what a caller can do,
    `http_status` is what a web service should answer. `path` is set when the call was routed.
    """

    kind: ClassVar[str] = "llm_error"
    advice: ClassVar[str] = "Report it with the request id."
    http_status: ClassVar[int] = 502
    repeats: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        status: int | None = None,
        retry_after: float | None = None,
        repeatable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.field = field  # argument or environment variable at fault, where there is one
        self.status = status  # HTTP status (or the code in an error body) that the other side gave
        self.retry_after = retry_after  # seconds that the other side asked to wait
        # Whether the same request may be tried again on the same path: the first did nothing.
        self.repeatable = self.repeats if repeatable is None else repeatable
        self.path: str | None = None


class ConfigurationError(LlmError):
    """A setting is missing or wrong; `field` names the environment variable."""

    kind = "configuration"
    advice = "Set the named environment variable and start again."
    http_status = 503


class InvalidRequest(LlmError):
    """The caller's arguments are wrong; `field` names the first that is."""

    kind = "invalid_request"
    advice = "Correct the named field."
    http_status = 422


class PaidModelRefused(InvalidRequest):
    """The model is not a free one."""

    kind = "paid_model_refused"
    advice = "Name a model that ends in ':free', or one of Friday's short names."


class LlmTimeout(LlmError):
    """The deadline passed before the answer was complete."""

    kind = "timeout"
    advice = "Try again later or with a shorter prompt."
    http_status = 504


class RateLimited(LlmError):
    """The other side is busy (429); `retry_after` may say for how long."""

    kind = "rate_limited"
    advice = "Wait for retry_after seconds, then try again."
    http_status = 429
    repeats = True


class QuotaSpent(RateLimited):
    """The account's free requests of this minute or day are used up; every free model is affected."""

    kind = "quota_spent"
    advice = "Wait until the quota is reset (the next minute, or midnight UTC); another free model does not help."
    repeats = False


class AccountRefused(LlmError):
    """OpenRouter refuses the account, whatever model is asked; the message and the log name the reason."""

    kind = "account_refused"
    advice = "The operator has to change the OpenRouter account; trying again does not help."


class AuthenticationFailed(AccountRefused):
    """The key was refused, or the gateway did not let the caller in."""

    kind = "authentication"
    advice = "Check the OpenRouter key, or the gateway's credential at the edge."


class KeyLimitReached(AccountRefused):
    """The key has a limit of its own, and it is reached."""

    kind = "key_limit"
    advice = "Raise or wait for the key's limit at openrouter.ai/settings/keys."


class PaymentRequired(AccountRefused):
    """402: the account's balance is negative, or the model is not free any more."""

    kind = "payment_required"
    advice = "Check the account's balance and the model's price; nothing was answered."


class DataPolicyRefused(AccountRefused):
    """The account's privacy settings or guardrails leave no provider for the free models."""

    kind = "data_policy"
    advice = "Change the account's settings at openrouter.ai/settings/privacy; another free model does not help."


class Unavailable(LlmError):
    """No connection, a connection that broke, or a 5xx."""

    kind = "unavailable"
    advice = "Try again in a moment."
    http_status = 503


class GatewayClosed(Unavailable):
    """503 of the edge: the operator has closed the gateway. The direct path answers; no user sees this error."""

    kind = "gateway_closed"
    advice = "Nothing: the direct path answers until the operator opens the gateway again."


class RequestRefused(LlmError):
    """The models do not take this request: it is too long, or has a part that they do not know. `field` may name it."""

    kind = "refused"
    advice = "Shorten or correct the request; repeating it does not help."


class ModelNotFound(RequestRefused):
    """The model is unknown, retired, or closed to this caller."""

    kind = "model_not_found"
    advice = "Choose a model that the catalogue lists today."


class BadResponse(LlmError):
    """A success status whose body is not a usable answer."""

    kind = "bad_response"
    advice = "Try again; if it stays, the model or gateway is broken."


class EmptyAnswer(BadResponse):
    """An answer without choices, text or tool calls."""

    kind = "empty_answer"


class StreamBroken(BadResponse):
    """A stream that ended early after text was shown; what was shown is not the whole answer."""

    kind = "stream_broken"
    advice = "Discard the partial answer and ask again."
