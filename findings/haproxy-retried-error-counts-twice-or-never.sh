#!/bin/sh
# What: HAProxy 2.6.12 (Debian 12), "retry-on 503" and the Prometheus exporter.
# Expected: a server that answers 503 three times to one request and then 200 has
#   three 5xx responses and three retries.
# Seen: a 503 that is retried is not counted among the server's responses at all,
#   and each retry is counted twice: 0 and 6. An alert on a server's 5xx is blind
#   to it, and one on retries reads double.
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
statuses = []


class Upstream(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        statuses.append(503 if len(statuses) < 3 else 200)
        self.send_response(statuses[-1])
        self.send_header("Content-Length", "0")
        self.end_headers()

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


def counter(pattern):
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=5) as answer:
        return int(re.search(pattern + r" (\d+)", answer.read().decode())[1])


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
threading.Thread(target=server.serve_forever, daemon=True).start()
port, metrics_port = free_port(), free_port()
with open(f"{folder}/haproxy.cfg", "w") as config:
    config.write(f"""
defaults
    mode http
    timeout connect 2s
    timeout client 20s
    timeout server 20s
frontend metrics
    bind 127.0.0.1:{metrics_port}
    http-request use-service prometheus-exporter if {{ path /metrics }}
frontend entry
    bind 127.0.0.1:{port}
    default_backend app
backend app
    retry-on 503
    retries 5
    server one 127.0.0.1:{server.server_port}
""")
process = subprocess.Popen([haproxy, "-q", "-db", "-f", f"{folder}/haproxy.cfg"])
try:
    wait_until_listening(metrics_port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
        client_saw = answer.status
    time.sleep(1)
    server_label = r'\{proxy="app",server="one"'
    errors = counter("haproxy_server_http_responses_total" + server_label + r',code="5xx"\}')
    answers = counter("haproxy_server_http_responses_total" + server_label + r',code="2xx"\}')
    retries = counter("haproxy_server_retry_warnings_total" + server_label + r"\}")
finally:
    process.terminate()
    process.wait()
print(f"the server answered {statuses}, the client saw {client_saw}")
print(f"HAProxy counted for the server: 5xx {errors}, 2xx {answers}, retries {retries}")
if (statuses, client_saw) != ([503, 503, 503, 200], 200) or (errors, answers, retries) != (0, 1, 6):
    sys.exit("behaviour changed: expected 0, 1 and 6")
PYTHON

LD_LIBRARY_PATH="${lua%/*}" NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 \
    timeout 80 python3 "$tmp/check.py" "$tmp/root/usr/sbin/haproxy" "$tmp"
