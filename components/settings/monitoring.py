"""What a stack file may say about Prometheus, which joins every stack, and about what it needs to see Redis."""

from pydantic import Field

from components.settings.base import Count, PartSettings, Port, memory_limit


class RedisExporterSettings(PartSettings):
    """The exporter that joins together with Redis."""

    memory_mb: Count = memory_limit(64)


class MonitoringSettings(PartSettings):
    """Prometheus: its port, how often it asks, and how much it keeps."""

    memory_mb: Count = memory_limit(384, at_least=128)
    port: Port = 9090
    scrape_seconds: Count = Field(default=5, ge=1, le=60, description="seconds from 1 to 60 between two looks")
    retention_days: Count = Field(default=15, ge=3, le=400, description="days from 3 to 400")
    max_data_mb: Count = Field(default=2048, ge=512, le=1048576, description="MiB from 512 to 1048576")
    redis_exporter: RedisExporterSettings = Field(
        default_factory=RedisExporterSettings, description="a map of the Redis exporter's settings"
    )
    placement: str = Field(
        default="node.role==manager",
        pattern=r"^(node|engine)\.[A-Za-z0-9_.-]+ ?[!=]= ?[A-Za-z0-9_.-]+$",
        description="a placement constraint of a Swarm, such as node.hostname==monitor-1",
    )
