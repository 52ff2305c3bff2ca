"""How long users and the gateway wait, and how many calls wait now."""

from indicators import selectors
from indicators.indicator import Indicator, quantile
from indicators.promql import counted, ratio
from indicators.selectors import DIRECT_PATH, GATEWAY_PATHS

_WAITED = "friday_llm_latency_seconds_bucket"
SLOW_SECONDS = 10
_SLOW = "put faster models first in `fallbackOrder`; `./fridayctl logs STACK litellm` shows each model"


def _percentiles(name: str, title: str, metric: str, says: str, do: str) -> tuple[Indicator, ...]:
    """Return the three percentiles that targets are set for."""
    return tuple(
        Indicator(f"{name}_p{percent}", f"{title}, p{percent}", "seconds", says, do, quantile(percent / 100, metric))
        for percent in (50, 95, 99)
    )


def _slow_calls(window: str) -> str:
    every, quick = (counted(f'{_WAITED}{{le="{le}"}}', window, ("path",)) for le in ("+Inf", f"{SLOW_SECONDS:.1f}"))
    return ratio(f"{every} - {quick}", every, ("path",))


LATENCY = (
    *_percentiles(
        "latency",
        "Time of LiteLLM's users",
        selectors.call_seconds(*GATEWAY_PATHS),
        "how long the gateway's users wait for a whole call, failed attempts and fallbacks included; the gate "
        "`latency` judges it",
        _SLOW,
    ),
    *_percentiles(
        "direct_latency",
        "Time of the direct path's users",
        selectors.call_seconds(*DIRECT_PATH),
        "the same for users who never met the gateway: what the gateway's are compared with",
        "OpenRouter is slow today, or `friday.directModel` is: choose another",
    ),
    Indicator(
        "slow_calls",
        "Calls of more than 10 s",
        "ratio",
        "calls that took longer than 10 s, by path",
        _SLOW,
        _slow_calls,
        ("path",),
    ),
    Indicator(
        "first_token_p95",
        "Time to the first text, p95",
        "seconds",
        "from a call to the first text of a stream, by path",
        _SLOW,
        quantile(0.95, "friday_llm_first_token_seconds_bucket", "path"),
        ("path",),
    ),
    *_percentiles(
        "gateway_latency",
        "Time of the gateway",
        selectors.GATEWAY_SECONDS,
        "the gateway's whole time for a chat that it answered, all tried models together, a stream to its last event; "
        "the gate `latency` takes it where Friday has no metrics",
        _SLOW,
    ),
    Indicator(
        "overhead_p50",
        "Time that the gateway adds, p50",
        "seconds",
        "what the gateway adds to its models' own time, until an answer or the first token is there; a wait for a "
        "place is in it. The gate `overhead` judges it",
        "the host is short of processor time, or Redis is slow: `./fridayctl status STACK`, more `litellm.replicas`",
        quantile(0.5, selectors.OVERHEAD),
    ),
    Indicator(
        "calls_in_flight",
        "Calls in flight",
        "count",
        "calls that Friday's replicas wait for now",
        "rising without end: models hang (`router.timeoutSeconds`), or there are too few replicas",
        lambda _: "sum(friday_llm_in_flight)",
    ),
    Indicator(
        "gateway_in_flight",
        "Chats in the gateway",
        "count",
        "chats that all replicas of the gateway work on now (`router.maxInFlight` each)",
        "at the limit for minutes: more `litellm.replicas`",
        lambda _: "sum(gateway_in_flight)",
    ),
    Indicator(
        "gateway_queued",
        "Chats that wait",
        "count",
        "chats that wait for a place in the gateway (`router.maxQueued` each)",
        "above 0 for minutes: more `litellm.replicas`",
        lambda _: "sum(gateway_queued)",
    ),
)
