"""Names, limits and times of the LLM client, each with its source."""

from enum import StrEnum


class Path(StrEnum):
    """Who answered a call: the gateway, the direct path, or the direct path after the gateway failed."""

    LITELLM = "litellm"
    DIRECT = "direct"
    FALLBACK = "fallback"


class Feature(StrEnum):
    """The features of Friday that call a model; also the only values of the `feature` metric label."""

    CHAT = "chat"
    DOCS = "docs"
    EMAIL_SUMMARY = "email_summary"
    EMAIL_LABELS = "email_labels"


# Models
FREE_SUFFIX = ":free"  # the mark of OpenRouter's free models; the direct path asks for no others
GATEWAY_PREFIX = "openrouter/"  # LiteLLM's provider prefix, which Friday's own model names carry
ZERO_PRICE = {"prompt": 0, "completion": 0, "request": 0, "image": 0}
"""OpenRouter's `provider.max_price`: a model may keep its ":free" and still get a price."""

STOCK_MODELS = {
    "glm-4.5-air-free": "openrouter/z-ai/glm-4.5-air:free",
    "gpt-oss-20b-free": "openrouter/openai/gpt-oss-20b:free",
    "deepseek-chat-v3.1-free": "openrouter/deepseek/deepseek-chat-v3.1:free",
    "qwen3-coder-free": "openrouter/qwen/qwen3-coder:free",
    "minimax-m2-free": "openrouter/minimax/minimax-m2:free",
    "kimi-k2-free": "openrouter/moonshotai/kimi-k2:free",
    "gemma-3-27b-free": "openrouter/google/gemma-3-27b-it:free",
}
"""Friday's seven model names, short to long (its model map). The gateway serves both."""

DEFAULT_GATEWAY_MODEL = STOCK_MODELS["glm-4.5-air-free"]  # Friday asks the gateway for it when a call names none
DEFAULT_DIRECT_MODEL = "z-ai/glm-4.5-air:free"  # Friday's default of OPENROUTER_MODEL

# Addresses
DEFAULT_LITELLM_BASE_URL = "http://localhost:4000"  # Friday's default of LITELLM_BASE_URL
DEFAULT_OPENROUTER_BASE_URL = "https://openrouter.ai/api/v1"  # OpenRouter's public API
CHAT_PATH = "/chat/completions"  # below both base URLs

# Times
DEADLINE_SECONDS = 30.0  # for one call, from the first try to the last byte; Friday's own time-out
MAX_DEADLINE_SECONDS = 600  # the longest deadline that can be set
GATEWAY_SHARE = 0.6  # part of the deadline after which the direct path is asked too, so that it has time to answer
THINKING_SHARE = 0.8  # the same for a model whose thoughts arrive: it is about to answer, and a second call costs quota
THOUGHT_SILENCE_SECONDS = 5.0  # so long after its last thought a model counts as thinking; models send several a second
PAUSE_SECONDS = 0.5  # before the direct path's second try: at most, at random, and beside what a Retry-After asks for
DIRECT_CONNECT_SECONDS = 5.0  # TCP and TLS to a host on the internet
GATEWAY_CONNECT_SECONDS = 2.0
"""The gateway is in the same network: without a connection after this time it is not there. Above one second, after
which a lost SYN is sent again (RFC 6298, section 2): one lost packet is no reason to fall back."""

KEEPALIVE_SECONDS = 4.0
"""Idle connections are closed before uvicorn closes them (5 s), so that no request meets one that is closing."""

# Limits
MAX_CONNECTIONS = 512
"""Per path. Above the 100 concurrent users that the plan tests, below the usual 1,024 file descriptors."""

MAX_KEPT_CONNECTIONS = 20
"""Idle connections per path, httpx's own default. Its pool looks at all of them whenever a request starts or ends: with
no limit, a call costs 7 ms more processor time at 100 concurrent users."""

MAX_PROMPT_CHARS = 400_000
"""Text of all messages together: about 100,000 tokens, less than the smallest context of today's models."""

MAX_MESSAGES = 256  # in one call
MAX_TOKENS = 32_768  # what Friday sends as max_tokens, and the most that a caller may ask for
MAX_BODY_BYTES = 8 * 1024 * 1024  # the largest answer that is read; 32,768 tokens are less than 1 MB
MAX_USER_ID = 2**53 - 1  # the largest integer that Friday's JavaScript client can hold exactly

# The circuit breaker
BREAKER_FAILURES = 5  # failures in a row after which the gateway gets no more calls
BREAKER_OPEN_SECONDS = 2.0  # first pause of an open breaker; doubles while probes fail
BREAKER_MAX_OPEN_SECONDS = 30.0  # longest pause of an open breaker
