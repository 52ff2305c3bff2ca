"""A message as a mail, by the mail server that a stack file names."""

import smtplib
import ssl
from email.message import EmailMessage

from components.settings.notify import EmailSettings
from ops.notify.message import SECONDS, Message, one_printable_line

_SHOWN = 200


def send(channel: EmailSettings, message: Message) -> str:
    """Send a mail, with TLS where the settings require it; return what went wrong, "" if nothing.

    What is returned does not hold the password.
    """
    try:
        with _server(channel) as server:
            if channel.user and channel.password:
                server.login(channel.user, channel.password.get_secret_value())
            refused = server.send_message(_mail(channel, message))
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error if isinstance(error.smtp_error, str) else error.smtp_error.decode(errors="replace")
        return _shown(f"the mail server answered {error.smtp_code}: {said}", channel)
    except smtplib.SMTPRecipientsRefused as error:
        return _refused(error.recipients)
    except (OSError, smtplib.SMTPException, ValueError) as error:  # of TLS too
        return _shown(f"the mail server cannot be used: {error or type(error).__name__}", channel)
    return _refused(refused) if refused else ""


def _server(channel: EmailSettings) -> smtplib.SMTP:
    trusted = ssl.create_default_context()
    if channel.tls_at_once:
        return smtplib.SMTP_SSL(channel.host, channel.port, timeout=SECONDS, context=trusted)
    server = smtplib.SMTP(channel.host, channel.port, timeout=SECONDS)
    if channel.require_tls:
        try:
            server.starttls(context=trusted)
        except BaseException:
            server.close()
            raise
    return server


def _mail(channel: EmailSettings, message: Message) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = one_printable_line(message.text.splitlines()[0])
    mail["From"], mail["To"] = channel.sender, ", ".join(channel.to)
    mail["Date"] = message.at
    mail.set_content(message.text)
    return mail


def _refused(recipients: object) -> str:
    return one_printable_line(f"the mail server refused {recipients}"[:_SHOWN])


def _shown(text: str, channel: EmailSettings) -> str:
    secret = channel.password.get_secret_value() if channel.password else ""
    return one_printable_line((text.replace(secret, "***") if secret else text)[:_SHOWN])
