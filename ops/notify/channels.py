"""The ways by which a message reaches somebody: Slack's kind of webhook, any webhook, a mail, a program."""

import json
from pathlib import Path

import httpx

from components.settings.notify import (
    CommandSettings,
    EmailSettings,
    NotifySettings,
    SlackSettings,
    WebhookSettings,
)
from ops.notify import mail, programs
from ops.notify.message import SECONDS, Message, one_printable_line

_SHOWN = 200
_FEWEST = 4  # letters of an address's part that would be found everywhere


def deliver(settings: NotifySettings, name: str, folder: Path, message: Message) -> str:
    """Deliver a message by the channel of that name, with secrets in plain text; return what went wrong, "" if nothing.

    What is returned holds no part of an address or a token.
    """
    channel = settings.channels[name]
    if isinstance(channel, SlackSettings):
        content = json.dumps({"text": _escaped(message.text)}).encode()
        return _post(channel.url.get_secret_value(), content, "")
    if isinstance(channel, WebhookSettings):
        token = channel.token.get_secret_value() if channel.token else ""
        return _post(channel.url.get_secret_value(), message.document(), token)
    if isinstance(channel, EmailSettings):
        return mail.send(channel, message)
    assert isinstance(channel, CommandSettings)  # noqa: S101 - there is no other
    return _run(channel, folder, message)


def _escaped(text: str) -> str:
    """Return a text as Slack wants it: these three letters begin its links and its calls to everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _run(channel: CommandSettings, folder: Path, message: Message) -> str:
    try:
        ended = programs.run(channel.run, message, folder, SECONDS, lambda _: None)
    except programs.NotRunError as error:
        return f"{channel.run[0]} cannot be run: {error}"
    if ended.exit_code is None:
        return f"{channel.run[0]} did not end within {SECONDS:.0f} s and was killed"
    said = f": {ended.last[-1]}" if ended.last else ""
    return f"{channel.run[0]} ended with exit code {ended.exit_code}{said}" if ended.exit_code else ""


def _post(address: str, content: bytes, token: str) -> str:
    """Send a document; return what went wrong. Of the answer no more than its beginning is read."""
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, ValueError):
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        return "its url should begin with https:// or http:// and name a host (it is a secret, so it is not shown)"
    # What is not asked for cannot be a small answer that unpacks to a huge one.
    headers = {"content-type": "application/json", "accept-encoding": "identity", "user-agent": "friday-litellm"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    try:
        with (
            httpx.Client(timeout=SECONDS, follow_redirects=False) as client,
            client.stream("POST", url, content=content, headers=headers) as answer,
        ):
            if answer.is_success:
                return ""
            if answer.is_redirect:
                # It would give the message, and what the address shows, to whoever the answer names.
                return f"it answered {answer.status_code}, another address, and that is not followed: set the new one"
            words = next(answer.iter_raw(_SHOWN), b"").decode(errors="replace")
            return _without(f"it answered {answer.status_code}: {words}".rstrip(": \r\n"), url, token)
    except httpx.TimeoutException:
        return f"it did not answer within {SECONDS:.0f} s"
    except (httpx.HTTPError, UnicodeError, ValueError) as error:
        return _without(f"it cannot be reached: {error or type(error).__name__}", url, token)


def _without(text: str, url: httpx.URL, token: str) -> str:
    """Return a text in one line, without what an address is made of: who reads it may not be who may write there."""
    query = url.query.decode(errors="replace")
    pieces = [str(url), url.host, token, query, url.userinfo.decode(errors="replace"), url.path, *url.path.split("/")]
    for piece in sorted((each for each in pieces if len(each) >= _FEWEST), key=len, reverse=True):
        text = text.replace(piece, "***")
    return one_printable_line(text[:_SHOWN])
