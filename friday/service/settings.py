"""The environment variables of the service, beside those of the LLM client."""

from typing import Annotated

from pydantic import Field, SecretStr

from friday.llm.config import LlmConfig, WholeNumber, variable

Required = Annotated[SecretStr, Field(min_length=1)]
Seconds = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]


class ServiceSettings(LlmConfig):
    """What the service reads when it starts. The last four are required, as they are for Friday."""

    # By default the service listens to its container's network.
    host: str = variable("HOST", "an address to listen on", "0.0.0.0", example="0.0.0.0")  # noqa: S104
    port: Annotated[int, WholeNumber, Field(ge=1, le=65535)] = variable(
        "PORT", "a port from 1 to 65535", 3000, example="3000"
    )
    drain_seconds: Seconds = variable(
        "DRAIN_SECONDS", "seconds from 0 to 3600 in which a stopping service still takes requests", 2.0, example="2"
    )
    grace_seconds: Seconds = variable(
        "GRACE_SECONDS", "seconds from 0 to 3600 that running answers get to finish", 35.0, example="35"
    )
    jwt_secret: Required = variable("JWT_SECRET", "the secret that signs sessions")
    owner_open_id: Required = variable("OWNER_OPEN_ID", "the owner's open id")
    database_url: Required = variable("DATABASE_URL", "the URL of Friday's database")
    vite_app_id: Required = variable("VITE_APP_ID", "the app's id")
