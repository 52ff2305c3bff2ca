#!/bin/sh
# What: HAProxy 2.6.12 (Debian 12), a WebSocket tunnel whose client has closed its
#   connection while the server has not noticed, and "shutdown session" on the
#   runtime API.
# Expected: the command ends the tunnel at once, as it ends one whose client is
#   still there, so that a server can be emptied before it is stopped.
# Seen: it answers as for any other, and does nothing: 10 s later the tunnel is
#   there, and with it the connection to the server. Who ends the first sessions
#   of "show sess" until none is left never comes to the others. With "timeout
#   server-fin 2s" such a tunnel is gone by then.
# Needs: python3; Debian 12 with current package lists.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

mkdir "$tmp/packages"
(
    cd "$tmp/packages"
    apt-get download haproxy=2.6.12-1+deb12u4 liblua5.3-0=5.3.6-2 \
        libopentracing-c-wrapper0=1.1.3-3+b1 libopentracing1=1.6.0-4 \
        >log 2>&1 || { cat log >&2; exit 1; }
    for package in *.deb; do dpkg -x "$package" "$tmp/root"; done
)
lua=$(find "$tmp/root" -name 'liblua5.3.so.0')

cat > "$tmp/check.py" <<'PYTHON'
import signal
import socket
import subprocess
import sys
import threading
import time

haproxy, folder = sys.argv[1:]
signal.signal(signal.SIGTERM, lambda *_: sys.exit("took too long"))
ASK = b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
ASK += b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
SWITCH += b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
kept = []


def serve():
    while True:
        connection, _ = server.accept()
        if connection.recv(65536):
            connection.sendall(SWITCH)
        kept.append(connection)  # it never reads on, so it never learns that the client has gone


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def runtime(command):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"{folder}/api")
        connection.sendall(command.encode() + b"\n")
        return connection.makefile().read()


def tunnels():
    return [line.split(":")[0] for line in runtime("show sess").splitlines() if " be=app srv=one" in line]


def open_tunnel():
    client = socket.create_connection(("127.0.0.1", port), 5)
    client.sendall(ASK)
    assert b" 101 " in client.recv(65536)
    return client


def ended_by_command(wait):
    (tunnel,) = tunnels()
    runtime(f"shutdown session {tunnel}")
    time.sleep(wait)
    return not tunnels()


server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, daemon=True).start()
port = free_port()
with open(f"{folder}/haproxy.cfg", "w") as config:
    config.write(f"""
global
    stats socket {folder}/api level admin
defaults
    mode http
    timeout connect 2s
    timeout client 40s
    timeout server 40s
    timeout tunnel 1h
frontend entry
    bind 127.0.0.1:{port}
    default_backend app
backend app
    server one 127.0.0.1:{server.getsockname()[1]}
""")
process = subprocess.Popen([haproxy, "-q", "-db", "-f", f"{folder}/haproxy.cfg"])
try:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.1)
    client = open_tunnel()
    present = ended_by_command(1)
    client.close()
    open_tunnel().close()
    time.sleep(1)
    gone = ended_by_command(10)
finally:
    process.terminate()
    process.wait()
print(f"'shutdown session' ended the tunnel of a client that is there: {present}")
print(f"'shutdown session' ended the tunnel of a client that has gone: {gone}")
if not present or gone:
    sys.exit("behaviour changed: expected True, then False")
PYTHON

LD_LIBRARY_PATH="${lua%/*}" timeout 80 python3 "$tmp/check.py" "$tmp/root/usr/sbin/haproxy" "$tmp"
