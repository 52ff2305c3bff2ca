"""A replica for the edge's tests: answers with what reached it, and drains on SIGTERM as Friday's replicas do.

It runs inside a container with nothing but Python, so it imports nothing of the project.
"""

import asyncio
import json
import os
import signal
import sys

HEALTH = {"/healthz", "/health/liveliness"}
NAME = os.environ["REPLICA"]
DRAIN_SECONDS = float(os.environ.get("DRAIN_SECONDS", "1.0"))
LEAKS = (
    "x-litellm-model-api-base: http://inside\r\n"
    "x-litellm-key-spend: 0.0\r\n"
    "llm_provider-x-account: acme\r\n"
    "server: uvicorn\r\n"
    "x-litellm-model-id: dep-one\r\n"
    "x-litellm-attempted-fallbacks: 1\r\n"
)


class Replica:
    """State of this one server: whether it drains, and how many requests are on their way."""

    def __init__(self) -> None:
        self.draining = False
        self.running = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve requests of one connection until it is closed."""
        try:
            while (head := await read_head(reader)) is not None:
                self.running += 1
                try:
                    await self.answer(head, reader, writer)
                finally:
                    self.running -= 1
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def answer(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request: health, an error, a slow stream, or an echo of the request."""
        request, *lines = head.split("\r\n")
        method, target, _ = request.split(" ", 2)
        headers = [line.split(": ", 1) for line in lines if line]
        length = next((int(value) for key, value in headers if key.lower() == "content-length"), 0)
        if any(key.lower() == "transfer-encoding" for key, _ in headers):
            length = await read_chunks(reader)
            body = ""
        else:
            body = (await reader.readexactly(length)).decode() if length else ""
        if target in HEALTH and not any(key.lower() == "x-request-id" for key, _ in headers):
            status = "503 Draining" if self.draining else "200 OK"
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        elif target == "/status/500":
            writer.write(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
        elif '"stream"' in body:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for number in range(8):
                piece = f"data: {NAME} {number}\n\n"
                writer.write(f"{len(piece):x}\r\n{piece}\r\n".encode())
                await writer.drain()
                await asyncio.sleep(0.25)
            writer.write(b"0\r\n\r\n")
        elif '"patient"' in body:
            # Ten seconds of thinking, unless whoever asked goes away.
            await asyncio.wait_for(reader.read(1), 10)
        elif (
            any(key.lower() == "authorization" and "wrong" in value for key, value in headers) and target not in HEALTH
        ):
            writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
        else:
            if '"slow"' in body:
                await asyncio.sleep(1.0)
            echo = {"replica": NAME, "method": method, "target": target, "headers": headers, "length": length}
            text = json.dumps(echo)
            writer.write(
                f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{LEAKS}"
                f"Content-Length: {len(text)}\r\n\r\n{text}".encode()
            )
        await writer.drain()


async def read_head(reader: asyncio.StreamReader) -> str | None:
    """Return a request's head, or None when the connection ends."""
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None


async def read_chunks(reader: asyncio.StreamReader) -> int:
    """Read a body that comes in chunks; return its length."""
    total = 0
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
        total += size
    await reader.readline()
    return total


async def main() -> None:
    """Serve until SIGTERM; then fail the health check, stop listening, and finish what runs."""
    replica = Replica()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    server = await asyncio.start_server(replica.handle, "0.0.0.0", int(sys.argv[1]), backlog=512)  # noqa: S104
    await stopped.wait()
    replica.draining = True
    await asyncio.sleep(DRAIN_SECONDS)
    server.close()
    while replica.running:
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(main())
