"""The environment variables of the service, beside those of the LLM client."""

from typing import Annotated

from pydantic import ConfigDict, Field, SecretStr

from friday.llm.config import LlmConfig, WholeNumber

Required = Annotated[SecretStr, Field(min_length=1)]
Seconds = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]


class ServiceSettings(LlmConfig):
    """What the service reads when it starts. The last four are required, as they are for Friday."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    host: str = Field(
        default="0.0.0.0",  # noqa: S104 (a container's service is for the container's network)
        validation_alias="HOST",
        description="an address to listen on",
        examples=["0.0.0.0"],  # noqa: S104
    )
    port: Annotated[int, WholeNumber, Field(ge=1, le=65535)] = Field(
        default=3000, validation_alias="PORT", description="a port from 1 to 65535", examples=["3000"]
    )
    drain_seconds: Seconds = Field(
        default=2.0,
        validation_alias="DRAIN_SECONDS",
        description="seconds from 0 to 3600 in which a stopping service still takes requests",
        examples=["2"],
    )
    grace_seconds: Seconds = Field(
        default=35.0,
        validation_alias="GRACE_SECONDS",
        description="seconds from 0 to 3600 that running answers get to finish",
        examples=["35"],
    )
    jwt_secret: Required = Field(validation_alias="JWT_SECRET", description="the secret that signs sessions")
    owner_open_id: Required = Field(validation_alias="OWNER_OPEN_ID", description="the owner's open id")
    database_url: Required = Field(validation_alias="DATABASE_URL", description="the URL of Friday's database")
    vite_app_id: Required = Field(validation_alias="VITE_APP_ID", description="the app's id")
