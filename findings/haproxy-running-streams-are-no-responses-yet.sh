#!/bin/sh
# What: HAProxy 2.6.12 (Debian 12), its Prometheus exporter, and answers that
#   stream server-sent events.
# Expected: haproxy_server_http_responses_total and
#   haproxy_backend_http_responses_total of a backend with one server are equal
#   (no errors of HAProxy's own, no retries), and requests are counted when they
#   come in.
# Seen: a server's responses are counted when their headers arrive, a backend's
#   responses and even its requests only when the stream ends. While five
#   streams run, the server has 5 responses and its backend 0 requests, so a
#   rate over the backend's counters shows long chats when they are over.
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
import http.server
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

haproxy, folder = sys.argv[1:]
signal.signal(signal.SIGTERM, lambda *_: sys.exit("took too long"))
STREAMS = 5
finish = threading.Event()


class Upstream(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"data: first\n\n")
        finish.wait(30)
        self.wfile.write(b"data: last\n\n")

    def log_message(self, *args):
        pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_listening(number):
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", number), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("HAProxy does not listen")


def counters():
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    names = {
        "server responses": r'haproxy_server_http_responses_total\{proxy="app",server="one",code="2xx"\} (\d+)',
        "backend responses": r'haproxy_backend_http_responses_total\{proxy="app",code="2xx"\} (\d+)',
        "backend requests": r'haproxy_backend_http_requests_total\{proxy="app"\} (\d+)',
    }
    return {name: int(re.search(pattern, text)[1]) for name, pattern in names.items()}


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
threading.Thread(target=server.serve_forever, daemon=True).start()
port, metrics_port = free_port(), free_port()
with open(f"{folder}/haproxy.cfg", "w") as config:
    config.write(f"""
defaults
    mode http
    timeout connect 2s
    timeout client 40s
    timeout server 40s
frontend metrics
    bind 127.0.0.1:{metrics_port}
    http-request use-service prometheus-exporter if {{ path /metrics }}
frontend entry
    bind 127.0.0.1:{port}
    default_backend app
backend app
    server one 127.0.0.1:{server.server_port}
""")
process = subprocess.Popen([haproxy, "-q", "-db", "-f", f"{folder}/haproxy.cfg"])
try:
    wait_until_listening(metrics_port)
    streams = [
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=35) for _ in range(STREAMS)
    ]
    for stream in streams:
        assert stream.readline() == b"data: first\n"
    during = counters()
    finish.set()
    for stream in streams:
        assert stream.read().endswith(b"data: last\n\n")
    time.sleep(1)
    after = counters()
finally:
    process.terminate()
    process.wait()
print(f"while {STREAMS} streams run: {during}")
print(f"after their end: {after}")
if list(during.values()) != [STREAMS, 0, 0] or list(after.values()) != [STREAMS] * 3:
    sys.exit("behaviour changed: expected 5, 0 and 0 during the streams, 5 of each after them")
PYTHON

LD_LIBRARY_PATH="${lua%/*}" NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 \
    timeout 80 python3 "$tmp/check.py" "$tmp/root/usr/sbin/haproxy" "$tmp"
