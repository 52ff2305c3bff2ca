"""What a stack file may say about its Alertmanager, which tells the channels of `notify` what is wrong right now."""

from pydantic import Field

from components.settings.base import Count, PartSettings, Port, memory_limit


class AlertsSettings(PartSettings):
    """Alertmanager: whether a stack has one, and its port."""

    enabled: bool = Field(default=True, description="true or false: whether alerts are sent to anybody")
    memory_mb: Count = memory_limit(64)
    port: Port | None = Field(
        default=None,
        description="a port from 1 to 65535 of 127.0.0.1 that nothing else uses; left out, three above monitoring.port",
    )
