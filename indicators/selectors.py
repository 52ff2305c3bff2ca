"""Which series are asked for, and what in them counts as a failure: names and label matchers, each written once."""

FRIDAY = "friday_llm_rollout_percentage"
GATEWAY = "gateway_quota_requests_per_minute"
EDGE = 'haproxy_backend_active_servers{proxy="litellm"}'
"""What each part shows as long as it is scraped: where it is there, a counter that is not there stands at 0."""

FRIDAY_SERVERS = 'haproxy_backend_active_servers{proxy="friday"}'
"""The replicas of Friday that the edge sends requests to."""

GATEWAY_PATHS = ("litellm", "fallback")
"""The paths of the gateway's users, as Friday counts them: its calls that fell back are theirs too."""

DIRECT_PATH = ("direct",)

PAST_THE_GATEWAY = ("direct", "fallback")
"""The paths whose calls Friday makes to OpenRouter itself."""

CALLERS_OWN = ("cancelled", "invalid_request", "paid_model_refused")
"""Outcomes that say nothing about either path: the caller left, or asked for what nobody may have."""

USERS, CHATS, INTERNAL = "users", "chats", "gateway_internal"
"""The edge's frontends: what users send, those of it that are chats (`friday.chatPaths`), Friday's at the gateway."""

FRIDAY_BACKENDS = "friday(_ws)?"
"""The edge's backends of Friday's replicas: one for requests, and one for web sockets where there is any."""

GATEWAY_BACKEND = "litellm"

ATTEMPTS = "gateway_upstream_attempts_total"
QUOTA_SPENT = 'gateway_refused_requests_total{reason="quota_spent"}'
ACCOUNT_LIMIT = "gateway_quota_account_requests_per_minute"
ACCOUNT_REFUSED = "gateway_account_refused_total"
RESTS = "gateway_model_rest_seconds_total"
CLOSED_RESTS = 'gateway_model_rest_seconds_total{reason=~"closed.*"}'
CHATS_OF_GATEWAY = "gateway_chats_total"
ANSWERED = 'gateway_chats_total{status="200"}'
SPEND = "gateway_spend_usd_total"
ANSWERS_COST = "friday_llm_cost_usd_total"
CACHE = "gateway_cache_requests_total"
CACHED = ("hit", "shared")
"""Where an answer came from that cost no call."""
OVERHEAD = "gateway_overhead_seconds_bucket"
GATEWAY_SECONDS = "gateway_chat_seconds_bucket"


def calls(*paths: str, outcome: str = "") -> str:
    """Return the calls over some paths as Friday counts them, with a further matcher of their outcome."""
    further = f", {outcome}" if outcome else ""
    return f'friday_llm_requests_total{{path=~"{"|".join(paths)}"{further}}}'


def judged(*paths: str) -> str:
    """Return the calls over some paths that say something about them."""
    return calls(*paths, outcome=_none_of(*CALLERS_OWN))


def failed(*paths: str) -> str:
    """Return the calls over some paths that say something about them, and failed."""
    return calls(*paths, outcome=_none_of("ok", *CALLERS_OWN))


def call_seconds(*paths: str) -> str:
    """Return the buckets of how long calls over some paths took."""
    return f'friday_llm_latency_seconds_bucket{{path=~"{"|".join(paths)}"}}'


def ratings(*paths: str, rating: str = "") -> str:
    """Return what users said of the answers over some paths, with a further matcher of their ratings."""
    further = f", {rating}" if rating else ""
    return f'friday_llm_feedback_total{{path=~"{"|".join(paths)}"{further}}}'


def bad_ratings(*paths: str) -> str:
    """Return the ratings of the answers over some paths that are bad."""
    return ratings(*paths, rating='rating!="up"')


def lengths(*paths: str) -> str:
    """Return the buckets of how many characters the answers of testers who compare had."""
    return f'friday_llm_quality_length_chars_bucket{{path=~"{"|".join(paths)}"}}'


def checks(check: str, *paths: str) -> str:
    """Return the answers of testers who compare that were checked for something, by whether they `passed`."""
    return f'friday_llm_quality_checks_total{{check="{check}", path=~"{"|".join(paths)}"}}'


def answers(frontend: str, codes: str = "") -> str:
    """Return the answers of one of the edge's frontends, with a further matcher of their class, such as 5xx."""
    further = f", {codes}" if codes else ""
    return f'haproxy_frontend_http_responses_total{{proxy="{frontend}"{further}}}'


def errors_of(whose: str, backend: str) -> str:
    """Return the errors (5xx) of a backend (a pattern): what users got, or what its servers gave (`server`)."""
    return f'haproxy_{whose}_http_responses_total{{proxy=~"{backend}", code="5xx"}}'


def _none_of(*outcomes: str) -> str:
    return f'outcome!~"{"|".join(outcomes)}"'
