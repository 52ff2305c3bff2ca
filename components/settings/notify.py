"""What a stack file says about who is told of its rollout and of its alerts, and of what."""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, SecretStr, model_validator

from components.settings.base import Port, Settings, matching

Kind = Literal["step", "abort", "hold", "rollback", "pause", "check"]
"""What happens to a rollout that somebody may want to be told."""

ALERT = "alert"
"""What the stack's Alertmanager tells of by itself, whether a command runs or not."""

Event = Literal[Kind, "alert"]
KINDS: tuple[Kind, ...] = get_args(Kind)
EVENTS: tuple[Event, ...] = (*KINDS, "alert")

_Mail = Annotated[
    # Alertmanager takes both for templates, so no braces.
    str,
    matching(r"[A-Za-z0-9.!#$%&'*+/=?^_`|~-]{1,64}@[A-Za-z0-9.-]{1,253}", "not an address such as ops@example.com"),
]


class ChannelSettings(Settings):
    """What every channel may say: which events it gets."""

    events: tuple[Event, ...] = Field(
        default=EVENTS, min_length=1, description=f"a list of one or more of {', '.join(EVENTS)}"
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


class EmailSettings(ChannelSettings):
    """A mail server that takes messages for these addresses. Port 465 speaks TLS at once, the others by STARTTLS."""

    host: Annotated[str, matching(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", "not a host's name")] = Field(
        description="the name or address of a mail server (SMTP)"
    )
    port: Port = Field(default=587, description="the mail server's port, from 1 to 65535")
    sender: _Mail = Field(alias="from", description="the address that messages come from")
    to: tuple[_Mail, ...] = Field(min_length=1, max_length=20, description="a list of up to 20 addresses")
    user: Annotated[str, matching(r"[!-~]{1,256}", "has a blank, or another letter than ASCII's")] | None = Field(
        default=None, description="the name for the mail server, of ASCII letters without blanks"
    )
    password: SecretStr | None = Field(default=None, description="the password for the mail server, encrypted")
    require_tls: bool = Field(default=True, description="true or false: whether nothing is sent without TLS")

    @property
    def tls_at_once(self) -> bool:
        """Return whether the connection begins with TLS, as port 465 is for (RFC 8314)."""
        return self.port == 465

    @model_validator(mode="after")
    def _password_is_not_in_the_open(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password should be given together")
        if self.password and not (self.require_tls or self.tls_at_once):
            raise ValueError("user and password should be left out unless requireTls is true: anybody could read them")
        return self


class CommandSettings(ChannelSettings):
    """A program of the machine that runs the command. Alertmanager runs in a container, and has no such program."""

    events: tuple[Kind, ...] = Field(
        default=KINDS,
        min_length=1,
        description=f"a list of one or more of {', '.join(KINDS)} (a program is not told of alerts)",
    )
    run: tuple[str, ...] = Field(min_length=1, max_length=50, description="a list of the program and its words")


class NotifySettings(Settings):
    """The channels of a stack; what is left out is not told anybody."""

    slack: SlackSettings | None = Field(default=None, description="a map: url (encrypted), events")
    webhook: WebhookSettings | None = Field(default=None, description="a map: url, token (both encrypted), events")
    email: EmailSettings | None = Field(
        default=None, description="a map: host, port, from, to, user, password (encrypted), requireTls, events"
    )
    command: CommandSettings | None = Field(default=None, description="a map: run, events")

    @property
    def channels(self) -> dict[str, ChannelSettings]:
        """Return those that are set up, by their names."""
        return {name: value for name, value in self if isinstance(value, ChannelSettings)}

    @property
    def alerted(self) -> dict[str, ChannelSettings]:
        """Return those that Alertmanager tells, by their names."""
        return {name: channel for name, channel in self.channels.items() if ALERT in channel.events}
