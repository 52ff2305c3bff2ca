#!/bin/sh
# What: HAProxy 2.6.12 (Debian 12), a backend with `use-server old if { nbsrv eq
#   0 }`, `option redispatch 1` and retries.
# Expected: the rule sends requests to the draining server `old` while no other
#   server takes any. That holds for each choice of a server, also for the one
#   after a connection that timed out.
# Seen: the rule is asked for the first choice only. A request that waits for a
#   connection to another server when the last one stops being active is answered
#   503 by the redispatch, while one that comes now is served by `old`.
# Needs: python3; Debian 12 with current package lists. Listens on 127.0.0.1.
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
import http.server
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

haproxy, folder = sys.argv[1:]
signal.signal(signal.SIGTERM, lambda *_: sys.exit("took too long"))


class Old(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"old")

    def log_message(self, *args):
        pass


def full_listener():
    """Return a port whose queue of connections is full: the kernel answers no further one."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = [listener]
    for _ in range(4):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
        waiting.append(client)
    return listener.getsockname()[1], waiting


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def runtime(*commands):
    for command in commands:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"{folder}/socket")
            client.sendall(command.encode() + b"\n")
            while client.recv(65536):
                pass


def request(found):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            found.append(answer.read().decode())
    except urllib.error.HTTPError as error:
        found.append(error.code)


old = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Old)
threading.Thread(target=old.serve_forever, daemon=True).start()
silent, kept = full_listener()
port = free_port()
with open(f"{folder}/haproxy.cfg", "w") as config:
    config.write(f"""
global
    stats socket {folder}/socket level admin
defaults
    mode http
    retries 3
    option redispatch 1
    timeout connect 2s
    timeout client 10s
    timeout server 10s
frontend entry
    bind 127.0.0.1:{port}
    default_backend app
backend app
    balance roundrobin
    use-server old if {{ nbsrv eq 0 }}
    server old 127.0.0.1:{old.server_port}
    server new 127.0.0.1:{silent} disabled
""")
process = subprocess.Popen([haproxy, "-q", "-db", "-f", f"{folder}/haproxy.cfg"])
try:
    for _ in range(100):
        try:
            runtime("show info")
            break
        except OSError:
            time.sleep(0.1)
    seen = {"all is well": [], "waits for `new` when `old` drains": [], "comes after that": []}
    request(seen["all is well"])
    # `new` gets the next one: `old` takes none for a moment.
    runtime("set server app/new state ready", "set server app/old state maint")
    waiting = threading.Thread(target=request, args=(seen["waits for `new` when `old` drains"],))
    waiting.start()
    time.sleep(0.5)
    runtime("set server app/old state drain", "set server app/new state maint")
    request(seen["comes after that"])
    waiting.join()
finally:
    process.terminate()
    process.wait()
for when, answers in seen.items():
    print(f"a request that {when}: {answers[0]}" if "is well" not in when else f"a request while {when}: {answers[0]}")
if [answers[0] for answers in seen.values()] != ["old", 503, "old"]:
    sys.exit("behaviour changed: expected old, 503 and old")
PYTHON

LD_LIBRARY_PATH="${lua%/*}" NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 \
    timeout 80 python3 "$tmp/check.py" "$tmp/root/usr/sbin/haproxy" "$tmp"
