"""`python3 -m friday.service`: read the environment, serve, drain at SIGTERM."""

import gc
import os
import sys

from friday.llm.config import read_environment
from friday.llm.errors import ConfigurationError
from friday.llm.monitoring.logger import configure_logging, logger
from friday.service.app import create_app
from friday.service.routes import HEALTH_PATHS
from friday.service.settings import ServiceSettings
from serving.drain import serve


def main() -> int:
    """Serve until a signal. Return 0 after an orderly end, 2 when the environment is wrong."""
    try:
        settings = read_environment(ServiceSettings, os.environ)
    except ConfigurationError as error:
        sys.stderr.write(f"friday: {error}\n")
        return 2
    configure_logging()
    try:
        serve(
            create_app(settings),
            host=settings.host,
            port=settings.port,
            health_paths=HEALTH_PATHS,
            drain_seconds=settings.drain_seconds,
            grace_seconds=settings.grace_seconds,
            on_started=lambda: _started(settings),
            log_config=None,
            access_log=False,
        )
    except OSError as error:
        sys.stderr.write(
            f"friday: PORT: expected a free port, found {settings.host}:{settings.port} "
            f"({error.strerror}); set PORT to another one, or stop what uses it\n"
        )
        return 2
    logger.info("stopped")
    return 0


def _started(settings: ServiceSettings) -> None:
    gc.freeze()  # every full collection would look at what lives since the start
    facts = {
        "port": settings.port,
        "litellm": settings.enable_litellm,
        "percentage": settings.rollout_percentage,
        "gateway": settings.litellm_base_url,
        "direct": settings.openrouter_base_url,
        "model": settings.openrouter_model,
    }
    logger.info("started", extra={"data": facts})
    if not settings.openrouter_api_key.get_secret_value():
        logger.warning("no_direct_path", extra={"data": {"fix": "set OPENROUTER_API_KEY or OPENROUTER_API_KEY_FILE"}})
    flag = os.environ.get("ENABLE_LITELLM", "")
    if not settings.enable_litellm and flag not in ("", "false"):
        logger.warning("litellm_is_off", extra={"data": {"found": flag[:20], "fix": "set ENABLE_LITELLM=true"}})


if __name__ == "__main__":
    sys.exit(main())
