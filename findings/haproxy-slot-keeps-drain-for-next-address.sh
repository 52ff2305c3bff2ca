#!/bin/sh
# What: HAProxy 2.6.12 (Debian 12), a backend with server-template whose
#   addresses come from DNS, and "set server ... state drain" and "set weight" on
#   the runtime API.
# Expected: an operator drains the replica at one address before it goes. The
#   replica that takes its place has another address and was never drained, so it
#   gets requests, at the weight of the configuration.
# Seen: drain and weight belong to the slot. When DNS has the new address instead
#   of the old one, the slot takes it and stays drained at the old weight: with
#   one replica the service answers 503, although the new one passes its check.
# Needs: python3; Debian 12 with current package lists. Listens on 127.0.0.1, and
#   for the two replicas on 127.0.0.2 and 127.0.0.3.
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
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

haproxy, folder = sys.argv[1:]
addresses = ["127.0.0.2"]  # what DNS says at the moment
signal.signal(signal.SIGTERM, lambda *_: sys.exit("took too long"))


def answer_dns(dns):
    while True:
        query, peer = dns.recvfrom(4096)
        end = 12
        while query[end]:
            end += 1 + query[end]
        (kind,) = struct.unpack("!H", query[end + 1 : end + 3])
        found = addresses if kind == 1 else []
        reply = query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(found), 0, 0) + query[12 : end + 5]
        for address in found:
            reply += struct.pack("!HHHIH", 0xC00C, 1, 1, 1, 4) + socket.inet_aton(address)
        dns.sendto(reply, peer)


class Replica(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.server_address[0].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def start_replicas():
    for _ in range(20):  # both need the same port, and it may be taken on one address
        first = http.server.ThreadingHTTPServer(("127.0.0.2", 0), Replica)
        try:
            second = http.server.ThreadingHTTPServer(("127.0.0.3", first.server_port), Replica)
        except OSError:
            first.server_close()
            continue
        for server in (first, second):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        return first.server_port
    sys.exit("no port is free on both addresses")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def runtime(command):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"{folder}/socket")
        client.sendall(command.encode() + b"\n")
        text = b""
        while part := client.recv(65536):
            text += part
    return text.decode()


def slot():
    lines = [line.lstrip("# ").split() for line in runtime("show servers state app").splitlines()]
    header = lines[1]
    (row,) = [dict(zip(header, line)) for line in lines[2:] if line]
    return row["srv_addr"], int(row["srv_admin_state"]), int(row["srv_uweight"])


def request():
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code


def wait_for(address):
    for _ in range(150):
        try:
            if slot()[0] == address:
                time.sleep(1)  # several checks
                return
        except OSError:
            pass  # HAProxy is still starting
        time.sleep(0.1)
    sys.exit(f"the slot did not take {address}")


dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
dns.bind(("127.0.0.1", 0))
threading.Thread(target=answer_dns, args=(dns,), daemon=True).start()
replica_port, port = start_replicas(), free_port()
with open(f"{folder}/haproxy.cfg", "w") as config:
    config.write(f"""
global
    stats socket {folder}/socket level admin
defaults
    mode http
    timeout connect 2s
    timeout client 5s
    timeout server 5s
resolvers own
    nameserver own 127.0.0.1:{dns.getsockname()[1]}
    timeout resolve 200ms
    timeout retry 200ms
    hold valid 200ms
frontend entry
    bind 127.0.0.1:{port}
    default_backend app
backend app
    server-template app 1 app.test:{replica_port} check inter 200ms resolvers own resolve-prefer ipv4 init-addr none
""")
process = subprocess.Popen([haproxy, "-q", "-db", "-f", f"{folder}/haproxy.cfg"])
try:
    wait_for("127.0.0.2")
    seen = [(slot(), request())]
    runtime("set server app/app1 state drain")
    runtime("set weight app/app1 7")
    seen.append((slot(), request()))
    addresses[:] = ["127.0.0.3"]
    wait_for("127.0.0.3")
    seen.append((slot(), request()))
finally:
    process.terminate()
    process.wait()
for when, (state, answer) in zip(("at first", "drained", "new address"), seen):
    print("%s: address %s, admin state %d, weight %d;" % (when, *state), f"a request gets {answer}")
DRAINED = 8
if seen != [
    (("127.0.0.2", 0, 1), "127.0.0.2"),
    (("127.0.0.2", DRAINED, 7), 503),
    (("127.0.0.3", DRAINED, 7), 503),
]:
    sys.exit("behaviour changed: expected the new address to be drained with weight 7")
PYTHON

LD_LIBRARY_PATH="${lua%/*}" NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 \
    timeout 80 python3 "$tmp/check.py" "$tmp/root/usr/sbin/haproxy" "$tmp"
