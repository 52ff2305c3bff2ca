"""A Friday that does not drain: answers chats after 3 s and keeps web sockets open for as long as the client likes.

It ignores SIGTERM, or ends at once when it hears it (ENDS_AT_SIGTERM). It runs in an image of its own with nothing but
Python, so it imports nothing of the project.
"""

import asyncio
import base64
import hashlib
import os
import signal

CHAT_SECONDS = 3.0
ENDS_AT_SIGTERM = bool(os.environ.get("ENDS_AT_SIGTERM"))
PERCENTAGE = os.environ["LITELLM_ROLLOUT_PERCENTAGE"]
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request; a web socket's frames are read and thrown away until its client leaves."""
    try:
        request, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        if "upgrade" in headers:
            accept = base64.b64encode(hashlib.sha1((headers["sec-websocket-key"] + _GUID).encode()).digest()).decode()  # noqa: S324
            writer.write(_head("101 Switching Protocols", f"Upgrade: websocket\r\nSec-WebSocket-Accept: {accept}"))
            await writer.drain()
            await reader.read(-1)
            return
        if request.startswith("POST"):
            await asyncio.sleep(CHAT_SECONDS)
        writer.write(_head("200 OK", "Content-Length: 5\r\nConnection: close") + b"done\n")
        await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


def _head(status: str, headers: str) -> bytes:
    connection = "" if "Connection" in headers else "Connection: Upgrade\r\n"
    own = f"X-Friday-Percentage: {PERCENTAGE}\r\nX-Friday-Path: direct"
    return f"HTTP/1.1 {status}\r\n{own}\r\n{connection}{headers}\r\n\r\n".encode()


async def main() -> None:
    """Serve until killed, or until the signal."""
    signal.signal(signal.SIGTERM, (lambda *_: os._exit(0)) if ENDS_AT_SIGTERM else signal.SIG_IGN)
    server = await asyncio.start_server(serve, "0.0.0.0", int(os.environ["PORT"]))  # noqa: S104 - in a container
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
