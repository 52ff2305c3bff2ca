"""What a stack file may say of the work of Friday's image that must be done once, beside the replicas that answer."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from components.settings.base import Count, Port, Settings, between
from components.settings.container import Command, Variables

# Those of the other parts, of what is found beside them on the network, and of what a role is not.
_PARTS = ("friday", "litellm", "edge", "redis", "redis-exporter", "alertmanager", "prometheus", "simulator")
TAKEN = frozenset((*_PARTS, "web", "migrate", "host", "openrouter"))


class MigrateSettings(Settings):
    """The command that runs to its end before new replicas start, such as a database migration."""

    command: Command = Field(
        description="a list of the program and its words, such as [node, dist/migrate.js]; it has to be safe to repeat"
    )
    seconds: Count = between(1, 86400, "seconds", " after which it is stopped, and the update has failed", default=300)


class RoleProbe(Settings):
    """Where a role shows that it is healthy; it has no host port, so nobody else asks there."""

    path: str = Field(pattern=r"^/[A-Za-z0-9/_.-]*$", description="a path that answers 200 when the role is healthy")
    port: Port = Field(default=3000, description="a port from 1 to 65535 on which the role answers in its container")


class RoleSettings(Settings):
    """Friday's image at other work than answering users, such as scheduled jobs: run once, unless it says otherwise."""

    command: Command | None = Field(
        default=None, description="a list of the program and its words, as friday.command, which holds when left out"
    )
    environment: Variables[Annotated[str, Field(max_length=8192)]] = Field(
        default_factory=dict, description="a map of environment variables (UPPER_CASE: value) besides Friday's own"
    )
    replicas: Count = between(1, 20, "a whole number of replicas", default=1)
    probe: RoleProbe | None = Field(
        default=None, description="a map of path and port; left out, a role that runs is healthy"
    )

    @model_validator(mode="after")
    def _differs_from_the_web(self) -> Self:
        if self.command is None and not self.environment:
            raise ValueError("a role should have a command or an environment: without both it is what Friday is")
        return self


def _names_are_free(roles: dict[str, RoleSettings]) -> dict[str, RoleSettings]:
    if taken := sorted(TAKEN & roles.keys()):
        raise ValueError(f"without {', '.join(taken)}: that is the name of another part")
    return roles


RoleName = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z-]{0,18}[a-z])?$")]
Roles = Annotated[dict[RoleName, RoleSettings], Field(max_length=10), AfterValidator(_names_are_free)]
