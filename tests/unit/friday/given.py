"""Settings and requests that many tests start from."""

from typing import Any

from friday.llm import LlmConfig
from tests.unit.friday.upstream import Upstream

DIRECT_MODEL = "google/gemma-4-31b-it:free"
KEY = "direct-key-0123456789"
HI: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}

ENVIRONMENT = {
    "JWT_SECRET": "jwt-0123456789",
    "OWNER_OPEN_ID": "owner",
    "DATABASE_URL": "mysql://database/friday",
    "VITE_APP_ID": "app",
    "OPENROUTER_API_KEY": KEY,
    "OPENROUTER_MODEL": DIRECT_MODEL,
}


def config(gateway: Upstream, direct: Upstream, **changes: Any) -> LlmConfig:
    values: dict[str, Any] = {
        "enable_litellm": True,
        "litellm_base_url": gateway.url,
        "openrouter_base_url": direct.url,
        "openrouter_api_key": KEY,
        "openrouter_model": DIRECT_MODEL,
        "deadline_seconds": 5,
    }
    return LlmConfig.model_validate(values | changes)
