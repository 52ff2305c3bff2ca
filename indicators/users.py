"""What users have of a stack: traffic, errors and fallbacks. How long they wait is in `indicators.latency`."""

from indicators import selectors
from indicators.indicator import Indicator, count, share
from indicators.promql import counted
from indicators.selectors import DIRECT_PATH, GATEWAY_PATHS, INTERNAL

_EVERYBODY = (*GATEWAY_PATHS, *DIRECT_PATH)
_ALL_CALLS = "friday_llm_requests_total"
_LOGS = "`./fridayctl logs STACK litellm` says which model failed and how; `./fridayctl rollback STACK` goes back"
_DIRECT_FAILS = "OpenRouter or Friday itself fails, not the gateway: `./fridayctl logs STACK friday`"


TRAFFIC = (
    Indicator(
        "calls_by_path",
        "Calls by path",
        "count",
        "calls by the path that answered: `litellm` the gateway, `direct`, or `fallback`, the direct path after the "
        "gateway failed",
        "no `litellm` above 0 %: the app does not obey the percentage (SETTINGS.md, What the app has to obey)",
        count(_ALL_CALLS, "path"),
        ("path",),
    ),
    Indicator(
        "calls_by_outcome",
        "Calls by outcome",
        "count",
        "calls by path and outcome: `ok`, or the kind of error (API.md)",
        "the row of the kind in API.md says what a caller can do; " + _LOGS,
        count(_ALL_CALLS, "path", "outcome"),
        ("path", "outcome"),
    ),
    Indicator(
        "gateway_chats_by_status",
        "Chats of the gateway by status",
        "count",
        "chats that the gateway answered, by HTTP status; 499 is a client that did not wait, and a stream that broke "
        "off has the status that its error event names",
        "429 is a spent quota or too many at once, 502 and 503 are models that failed: " + _LOGS,
        count(selectors.CHATS_OF_GATEWAY, "status"),
        ("status",),
    ),
    Indicator(
        "edge_answers",
        "Answers at the edge by class",
        "count",
        "answers to users by class of status, as the edge counts them; a Friday without metrics shows nothing else",
        "many 5xx: `./fridayctl logs STACK friday`, and `edge_own_errors`, whether they are the edge's own",
        count(selectors.answers(selectors.USERS), "code"),
        ("code",),
    ),
    Indicator(
        "http_requests",
        "Friday's answers by status",
        "count",
        "every request that Friday answered, by HTTP status",
        "many 5xx: `./fridayctl logs STACK friday`",
        count("friday_http_requests_total", "status"),
        ("status",),
    ),
    Indicator(
        "rollout_percentage",
        "Rollout percentage",
        "percent",
        "the percentage in force at the replicas of Friday; the highest while replicas are exchanged",
        "other than `./fridayctl status STACK` says: `./fridayctl drift STACK --fix`",
        lambda _: f"max({selectors.FRIDAY})",
    ),
)

ERRORS = (
    Indicator(
        "error_rate",
        "Error rate of LiteLLM's users",
        "ratio",
        "failed calls of the gateway's users, those that fell back included; the gate `errors` judges it. What the "
        f"caller did ({', '.join(f'`{each}`' for each in selectors.CALLERS_OWN)}) counts neither as call nor as error",
        _LOGS,
        share(selectors.failed(*GATEWAY_PATHS), selectors.judged(*GATEWAY_PATHS)),
    ),
    Indicator(
        "direct_error_rate",
        "Error rate of the direct path",
        "ratio",
        "the same for users who never met the gateway: what the gateway's are compared with",
        _DIRECT_FAILS,
        share(selectors.failed(*DIRECT_PATH), selectors.judged(*DIRECT_PATH)),
    ),
    Indicator(
        "all_error_rate",
        "Error rate of all users",
        "ratio",
        "the same for everybody: what the service level objective is set for",
        "compare the two paths: only LiteLLM's users fail, `./fridayctl rollback STACK`; both, " + _DIRECT_FAILS,
        share(selectors.failed(*_EVERYBODY), selectors.judged(*_EVERYBODY)),
    ),
    Indicator(
        "edge_error_rate",
        "Error rate at the edge",
        "ratio",
        "5xx answers among those that are no 4xx, of all requests of users; the gate `errors` takes it where Friday "
        "has no metrics, less what the edge answered while replicas were exchanged",
        _DIRECT_FAILS,
        share(selectors.answers(selectors.USERS, 'code="5xx"'), selectors.answers(selectors.USERS, 'code!="4xx"')),
    ),
    Indicator(
        "edge_chats_error_rate",
        "Error rate of chats at the edge",
        "ratio",
        "the same for requests below `friday.chatPaths`; empty without that setting",
        _DIRECT_FAILS,
        share(selectors.answers(selectors.CHATS, 'code="5xx"'), selectors.answers(selectors.CHATS, 'code!="4xx"')),
    ),
    Indicator(
        "edge_own_errors",
        "Errors of the edge itself",
        "count",
        "5xx answers that no replica of Friday gave: no replica was healthy, or one went away",
        "outside of updates: `./fridayctl status STACK` shows which replica is not healthy",
        lambda window: " - ".join(
            f"({counted(selectors.errors_of(whose, selectors.FRIDAY_BACKENDS), window)})"
            for whose in ("backend", "server")
        ),
    ),
    Indicator(
        "failed_attempts",
        "Failed attempts of Friday",
        "count",
        "attempts that failed, by path and kind of error, also those of calls that a fallback answered",
        _LOGS,
        count("friday_llm_errors_total", "path", "kind"),
        ("path", "kind"),
    ),
    Indicator(
        "gateway_error_rate",
        "Error rate of the gateway",
        "ratio",
        "chats that the gateway answered with an error (429 or 5xx), whether Friday fell back or not",
        _LOGS,
        share(
            f'{selectors.CHATS_OF_GATEWAY}{{status=~"429|5.."}}',
            f'{selectors.CHATS_OF_GATEWAY}{{status=~"200|429|5.."}}',
        ),
    ),
    Indicator(
        "refused_requests",
        "Refused by the gateway",
        "count",
        "requests that the gateway refused before a model was called, by reason",
        "`quota_spent` and `overloaded` are lack of room (TROUBLESHOOTING.md); others are the caller's (API.md)",
        count("gateway_refused_requests_total", "reason"),
        ("reason",),
    ),
)

FALLBACKS = (
    Indicator(
        "fallback_rate",
        "Fallback rate",
        "ratio",
        "calls of the gateway's users that the direct path answered instead; the gate `fallbacks` judges it. One that "
        "the direct path could not answer either is an error, and in the error rate",
        "`./fridayctl status STACK` shows quota and switch, `./fridayctl logs STACK litellm` the models",
        share(selectors.calls("fallback", outcome='outcome="ok"'), selectors.judged(*GATEWAY_PATHS)),
    ),
    Indicator(
        "edge_fallback_rate",
        "Calls that the gateway failed",
        "ratio",
        "4xx and 5xx answers of the gateway to Friday, as the edge counts them; the gate `fallbacks` takes it where "
        "Friday has no metrics",
        _LOGS,
        share(selectors.answers(INTERNAL, 'code=~"4xx|5xx"'), selectors.answers(INTERNAL)),
    ),
    Indicator(
        "fallbacks_by_reason",
        "Fallbacks by reason",
        "count",
        "why Friday left the gateway: the gateway's error, or `breaker_open`",
        _LOGS,
        count("friday_llm_fallbacks_total", "reason"),
        ("reason",),
    ),
    Indicator(
        "model_fallback_rate",
        "Fallbacks between models",
        "ratio",
        "chats that another than the first model answered, among the answered ones; no user notices",
        "high for hours: replace the first model (`./fridayctl models suggest STACK`)",
        share("gateway_fallbacks_total", selectors.ANSWERED),
    ),
)
