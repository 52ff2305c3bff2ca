#!/bin/sh
# What: docker (the Python library) 7.2.0, `exec_start` and so `Container.exec_run`.
# Expected: all that a command prints, however early the engine sends it.
# Seen: what the engine sends in one piece with its response headers is lost without a word; the rest arrives. Python's
#   HTTP client has read it into its buffer, and the library goes on below that buffer. A real engine does so seldom, on
#   a busy host: the beginning of a longer output is missing then.
# Needs: python3 with venv. No Docker: the engine is played by a few lines.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

cat > "$tmp/check.py" <<'PYTHON'
import socket
import sys
import threading
import time

import docker

HEADERS = b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
HEADERS += b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


def frame(text):
    return b"\x01\x00\x00\x00" + len(text).to_bytes(4, "big") + text


def engine(listening, apart):
    connection, _ = listening.accept()
    with connection.makefile("rb") as request:
        lines = [line.lower() for line in iter(request.readline, b"\r\n")]
        request.read(next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")))
    if apart:
        connection.sendall(HEADERS)
        time.sleep(0.5)
        connection.sendall(frame(b"first\n"))
    else:
        connection.sendall(HEADERS + frame(b"first\n"))
    time.sleep(0.5)
    connection.sendall(frame(b"second\n"))
    connection.close()


def printed(apart):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=engine, args=(listening, apart), daemon=True).start()
        api = docker.APIClient(f"tcp://127.0.0.1:{listening.getsockname()[1]}", version="1.41", timeout=10)
        return api.exec_start("an-id")


apart, together = printed(True), printed(False)
print("headers, then output:   ", apart)
print("headers and output in 1:", together)
if (apart, together) != (b"first\nsecond\n", b"second\n"):
    sys.exit("changed: nothing is lost any more")
print("as described: what came with the headers is lost")
PYTHON

python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" install --quiet --disable-pip-version-check docker==7.2.0
"$tmp/venv/bin/python" "$tmp/check.py"
