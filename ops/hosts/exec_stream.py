"""A command in a container that is sent something: what the Docker library leaves to its callers."""

from contextlib import closing
from typing import Any

import docker

from ops.errors import OperationError

_HEADER_BYTES = 8

ONCE_HEARD = ("bash", "-c", 'IFS= read -rN1 && exec "$@" </dev/null', "bash")
"""What goes before a command of bash, so that it begins with the byte that `talk` sends when somebody listens.

What a command prints at once may come together with the engine's headers, and the Docker library loses that
(findings/docker-py-loses-output-that-comes-with-the-headers.sh).
"""


def talk(api: docker.APIClient, exec_id: str, sent: bytes) -> bytes:
    """Start a command that was made with `stdin=True`, send it something, and return what it prints until it ends.

    It has to know how many bytes it reads: TLS and ssh cannot end one direction alone. It may print nothing before,
    for that may get lost. OperationError when the connection breaks or is silent for too long.
    """
    try:
        stream: Any = api.exec_start(exec_id, socket=True)
        # What docker-py returns is made for reading; below is the socket. Over TLS it is the socket itself.
        connection = getattr(stream, "_sock", stream)
        # The response holds the connection, and docker-py hangs it on what it returns.
        with closing(getattr(stream, "_response", stream)):
            connection.settimeout(api.timeout)
            connection.sendall(sent)
            with connection.makefile("rb") as answer:
                printed = b""
                # Each piece has a header: which output it is of, and in its last four bytes the length.
                while len(header := answer.read(_HEADER_BYTES)) == _HEADER_BYTES:
                    printed += answer.read(int.from_bytes(header[4:], "big"))
                return printed
    except OSError as error:
        message = f"connection lost while a command ran in a container: {error}"
        raise OperationError(message, "look whether the host is up, then ask again") from error
