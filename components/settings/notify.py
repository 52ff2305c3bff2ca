"""What a stack file says about who is told of its rollout, and of what."""

from typing import Literal, get_args

from pydantic import Field, SecretStr

from components.settings.base import Settings

Kind = Literal["step", "abort", "hold", "rollback", "pause", "check"]
"""What happens to a rollout that somebody may want to be told."""

KINDS: tuple[Kind, ...] = get_args(Kind)


class ChannelSettings(Settings):
    """What every channel may say: which events it gets."""

    events: tuple[Kind, ...] = Field(
        default=KINDS, min_length=1, description=f"a list of one or more of {', '.join(KINDS)}"
    )


class SlackSettings(ChannelSettings):
    """A webhook that takes what Slack's takes: JSON with a `text`. Its address is all that it takes to write there."""

    url: SecretStr = Field(description="the webhook's address, encrypted")


class WebhookSettings(ChannelSettings):
    """An address that gets each message as JSON (docs/notification.schema.json)."""

    url: SecretStr = Field(description="the receiver's address, encrypted")
    token: SecretStr | None = Field(
        default=None, description="a secret that is shown as `Authorization: Bearer`, encrypted"
    )


class CommandSettings(ChannelSettings):
    """A program of the machine that runs the command."""

    run: tuple[str, ...] = Field(min_length=1, max_length=50, description="a list of the program and its words")


class NotifySettings(Settings):
    """The channels of a stack; what is left out is not told anybody."""

    slack: SlackSettings | None = Field(default=None, description="a map: url (encrypted), events")
    webhook: WebhookSettings | None = Field(default=None, description="a map: url, token (both encrypted), events")
    command: CommandSettings | None = Field(default=None, description="a map: run, events")

    @property
    def channels(self) -> dict[str, ChannelSettings]:
        """Return those that are set up, by their names."""
        return {name: value for name, value in self if isinstance(value, ChannelSettings)}
