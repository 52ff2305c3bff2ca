#!/bin/sh
# What: promtool and Prometheus 2.42.0 (Debian 12), a recording rule
#   increase(x_total[2s]) with scrapes every 2 s (60 s and [1m] in real life).
# Expected: a rule that passes "promtool test rules" at the interval of the scrapes
#   yields values in a server that scrapes at that interval.
# Seen: promtool puts samples and evaluations on the same instants, so a range as
#   long as the interval holds two samples, one at each end, and the test passes.
#   A server scrapes and evaluates at offsets of their own, the range holds
#   one sample, and the rule never yields anything: no error, no value. A range
#   of twice the interval works in both.
# Needs: python3; Debian 12 with current package lists.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

mkdir "$tmp/packages"
(
    cd "$tmp/packages"
    apt-get download prometheus=2.42.0+ds-5+deb12u1 >log 2>&1 || { cat log >&2; exit 1; }
    dpkg -x ./*.deb "$tmp/root"
)

cat > "$tmp/check.py" <<'PYTHON'
import http.server
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

binaries, folder = sys.argv[1:]
signal.signal(signal.SIGTERM, lambda *_: sys.exit("took too long"))
started = time.monotonic()


class Metrics(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"# TYPE x_total counter\nx_total {int((time.monotonic() - started) * 10)}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def write(name, text):
    with open(f"{folder}/{name}", "w") as file:
        file.write(text)


def ask(path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return answer.read()


def value(expression):
    found = json.loads(ask("/api/v1/query?" + urllib.parse.urlencode({"query": expression})))
    return [float(series["value"][1]) for series in found["data"]["result"]]


target = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metrics)
threading.Thread(target=target.serve_forever, daemon=True).start()
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
write("rules.yml", """
groups:
  - name: example
    rules:
      - {record: "increase:one_interval", expr: "increase(x_total[2s])"}
      - {record: "increase:two_intervals", expr: "increase(x_total[4s])"}
""")
write("test.yml", """
rule_files: [rules.yml]
evaluation_interval: 2s
tests:
  - interval: 2s
    input_series: [{series: x_total, values: "0+20x10"}]
    promql_expr_test:
      - expr: increase:one_interval
        eval_time: 10s
        exp_samples: [{labels: "increase:one_interval", value: 20}]
      - expr: increase:two_intervals
        eval_time: 10s
        exp_samples: [{labels: "increase:two_intervals", value: 40}]
""")
write("prometheus.yml", f"""
global: {{scrape_interval: 2s, evaluation_interval: 2s}}
rule_files: [rules.yml]
scrape_configs:
  - {{job_name: example, static_configs: [{{targets: ["127.0.0.1:{target.server_port}"]}}]}}
""")

test = subprocess.run([f"{binaries}/promtool", "test", "rules", f"{folder}/test.yml"], capture_output=True)
print("promtool test rules:", test.stdout.decode().split()[-1], test.stderr.decode())
with open(f"{folder}/server.log", "w") as log:
    process = subprocess.Popen(
        [
            f"{binaries}/prometheus",
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stderr=log,
    )
try:
    wide = []
    while not wide or wide[0] < 8:  # the rules were evaluated eight times
        time.sleep(1)
        try:
            wide = value("count_over_time(increase:two_intervals[10m])")
        except urllib.error.HTTPError:
            pass  # starting
        except OSError:
            if process.poll() is not None:
                sys.exit(open(f"{folder}/server.log").read())
    scrapes = value("count_over_time(x_total[10m])")
    narrow = value("count_over_time(increase:one_interval[10m])")
finally:
    process.terminate()
    process.wait()
print(f"server: scrapes {scrapes}, values of the rule over 4 s {wide}, over 2 s {narrow}")
if test.returncode != 0 or narrow:
    sys.exit("behaviour changed: expected a passing test and no value over 2 s")
PYTHON

NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 \
    timeout 85 python3 "$tmp/check.py" "$tmp/root/usr/bin" "$tmp"
