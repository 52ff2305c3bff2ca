"""What the gateway's models cost and bear: money, the account's limits, models out of service, the cache."""

from indicators import selectors
from indicators.indicator import Indicator, count
from indicators.promql import counted, ratio, risen, sampled
from indicators.selectors import ACCOUNT_LIMIT, ATTEMPTS, CACHE

_OFTEN = "15s"
_DIRECT_CALLS = selectors.calls(*selectors.PAST_THE_GATEWAY)
_BUY = "`./fridayctl status STACK` shows the forecast; more quota: credits, or the cache (`router.cacheTtlSeconds`)"


def _spend(window: str) -> str:
    sources = {"gateway": selectors.SPEND, "friday": selectors.ANSWERS_COST}
    return " or ".join(
        f'label_replace({counted(metric, window)}, "source", "{source}", "", "")' for source, metric in sources.items()
    )


def _account_calls(window: str) -> str:
    return " + ".join(f"({counted(metric, window)} or vector(0))" for metric in (ATTEMPTS, _DIRECT_CALLS))


def _busiest_minute(window: str) -> str:
    calls = " + ".join(f"({risen(metric, '1m')} or vector(0))" for metric in (ATTEMPTS, _DIRECT_CALLS))
    return sampled("max_over_time", calls, window, _OFTEN)


def _hit_rate(window: str) -> str:
    hits = counted(f'{CACHE}{{source=~"{"|".join(selectors.CACHED)}"}}', window)
    return ratio(hits, counted(CACHE, window))


COST = (
    Indicator(
        "spend",
        "Money spent",
        "dollars",
        "what answers say they cost, as the gateway and as Friday read it; it has to be exactly 0. The gate `cost` "
        "asks OpenRouter about the keys too, which is no metric",
        "`./fridayctl rollback STACK`, then `./fridayctl preflight STACK`, which names models with a price",
        _spend,
        ("source",),
    ),
    Indicator(
        "tokens",
        "Tokens",
        "count",
        "tokens as the models count them: `prompt` and `completion`",
        "nothing: free models are limited by calls",
        count("gateway_tokens_total", "kind"),
        ("kind",),
    ),
)

QUOTA = (
    Indicator(
        "quota_used",
        "Minute's quota used",
        "ratio",
        "calls to OpenRouter within a minute as a share of the gateway's own limit, a tenth below the account's",
        _BUY,
        lambda window: f"max(max_over_time(gateway_quota_used[{window}])) / max({selectors.GATEWAY})",
    ),
    Indicator(
        "account_calls",
        "Calls to OpenRouter, both paths",
        "count",
        "every call that left for OpenRouter, the gateway's and Friday's own: what the account's limits are for. Over "
        "`1d` compare it with the day's limit",
        _BUY,
        _account_calls,
    ),
    Indicator(
        "gateway_calls",
        "Calls to OpenRouter, gateway",
        "count",
        "calls that the gateway made, each attempt by itself",
        _BUY,
        count(ATTEMPTS),
    ),
    Indicator(
        "direct_calls",
        "Calls to OpenRouter, Friday",
        "count",
        "calls that Friday made itself: the direct path's, and fallbacks",
        _BUY,
        count(_DIRECT_CALLS),
    ),
    Indicator(
        "busiest_minute",
        "Busiest minute",
        "count",
        "the most calls of both paths within any minute of the window; the gate `quota` adds what was "
        "refused, and scales it to the next step",
        _BUY,
        _busiest_minute,
    ),
    Indicator(
        "account_limit",
        "Account's limit a minute",
        "count",
        "the account's limit as OpenRouter named it within the last hour, 0 when it did not",
        "below `quota.requestsPerMinute`: the gateway obeys it; correct the setting",
        lambda _: f"max({ACCOUNT_LIMIT})",
    ),
    Indicator(
        "quota_refused",
        "Refused for the quota",
        "count",
        "requests that the gateway refused because the quota was spent; Friday's direct path answered them",
        _BUY,
        lambda window: f"{counted(selectors.QUOTA_SPENT, window)} or vector(0)",
    ),
    Indicator(
        "quota_shared",
        "Replicas count together",
        "flag",
        "1 while Redis counts for all replicas; 0 when it did not answer one, which keeps to its own small share",
        "`./fridayctl logs STACK redis`",
        lambda window: f"min(min_over_time(gateway_quota_shared[{window}]))",
    ),
)

MODELS = (
    Indicator(
        "model_rest_seconds",
        "Seconds that models were left out",
        "seconds",
        "for how long each model is left out after failures, counted when it begins, and why: `busy`, `timeout`, "
        "`broken`, `empty`, `gone` (retired) or `closed` (not for this caller). The best sign of a provider's problems",
        "`gone` and `closed` need another model: `./fridayctl models suggest STACK`; the others end by themselves",
        count(selectors.RESTS, "model", "reason"),
        ("model", "reason"),
    ),
    Indicator(
        "account_refused",
        "Account refused",
        "count",
        "calls that OpenRouter refused to the account, by reason",
        "TROUBLESHOOTING.md, OpenRouter refuses the account, says what to change for each reason",
        count(selectors.ACCOUNT_REFUSED, "reason"),
        ("reason",),
    ),
    Indicator(
        "attempts_by_model",
        "Calls by model",
        "count",
        "calls to OpenRouter by model, each attempt by itself",
        "mostly another than the first of `fallbackOrder`: see which model rests, and why",
        count(ATTEMPTS, "model"),
        ("model",),
    ),
    Indicator(
        "answered_by_a_later_model",
        "Answered by a later model",
        "count",
        "chats that another than the first model answered, by the model that did",
        "one that answers most of them should be first in `fallbackOrder`",
        count("gateway_fallbacks_total", "model"),
        ("model",),
    ),
)

CACHING = (
    Indicator(
        "cache_requests",
        "Cacheable requests",
        "count",
        "requests that may be answered from the cache, by where the answer came from: `hit` kept, `shared` the call of "
        "an identical request, `miss` a call of their own; `damaged` (kept, but not whole) and `away` (no Redis) too",
        "`damaged` or `away`: `./fridayctl logs STACK redis`",
        count(CACHE, "source"),
        ("source",),
    ),
    Indicator(
        "cache_hit_rate",
        "Cache hit rate",
        "ratio",
        "cacheable requests that cost no call",
        "low with the cache on: a longer `router.cacheTtlSeconds`, or more `router.cacheFeatures`",
        _hit_rate,
    ),
    Indicator(
        "cache_stored",
        "Answers kept",
        "count",
        "answers that the cache kept",
        "nothing",
        count("gateway_cache_stored_total"),
    ),
    Indicator(
        "cache_skipped",
        "Not kept",
        "count",
        "what the cache left alone, by reason: `not_cacheable` (the request), `cut`, `refused`, `empty`, `odd`, "
        "`failed`, `left` (all clients went away), `large`, `away`",
        "many `not_cacheable`: `router.cacheFeatures` does not name the feature, or `temperature` is not 0",
        count("gateway_cache_skipped_total", "reason"),
        ("reason",),
    ),
)
