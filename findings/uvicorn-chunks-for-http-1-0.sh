#!/bin/sh
# What: uvicorn 0.54.0 with httptools 0.9.0, an application that streams, and a
#   client that asks in HTTP/1.0.
# Expected: no chunks, and the end of the connection as the end of the body: a
#   server must not send Transfer-Encoding to a client of HTTP/1.0 (RFC 9112, 6.1).
# Seen: `transfer-encoding: chunked`, so such a client takes the lengths of the
#   chunks for text. uvicorn's other parser, h11, does as the RFC says.
# Needs: python3 with venv; PyPI. Listens on 127.0.0.1.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" --quiet --disable-pip-version-check install uvicorn==0.54.0 httptools==0.9.0 h11==0.16.0

cat > "$tmp/check.py" <<'PYTHON'
import asyncio
import sys

import uvicorn


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    for word in (b"one", b"two"):
        await send({"type": "http.response.body", "body": word, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def ask(parser):
    server = uvicorn.Server(uvicorn.Config(app, port=0, http=parser, lifespan="off", log_level="warning"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    head, _, body = (await asyncio.wait_for(reader.read(), 10)).partition(b"\r\n\r\n")
    writer.close()
    server.should_exit = True
    await serving
    print(f"{parser}: {'chunked' if b'chunked' in head else 'no framing'}, body {body!r}")
    return body


seen = [asyncio.run(ask(parser)) for parser in ("httptools", "h11")]
if seen != [b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n", b"onetwo"]:
    sys.exit("behaviour changed: expected chunks from httptools and none from h11")
PYTHON
timeout 60 "$tmp/venv/bin/python" "$tmp/check.py"
