"""A program in Grafana's place: it looks at what a Grafana would be given, and answers health with what it found.

It has no module of the project's: it runs in a container by itself.
"""

import json
import os
import re
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


def found() -> dict[str, object]:
    """Read all that is there for Grafana, write where it would, and ask Prometheus. Raises OSError where one fails."""
    provisioning = Path(os.environ["GF_PATHS_PROVISIONING"])
    source = (provisioning / "datasources" / "prometheus.yaml").read_text()
    folder = re.findall(r"path: (\S+)", (provisioning / "dashboards" / "friday.yaml").read_text())[0]
    (Path(os.environ["GF_PATHS_DATA"]) / "grafana.db").write_text("x")
    url = re.findall(r"url: (\S+)", source)[0]
    with urllib.request.urlopen(f"{url}/api/v1/query?query=up", timeout=10) as answer:  # noqa: S310 - the stack's own
        asked = json.load(answer)["status"]
    return {
        "password": Path(os.environ["GF_SECURITY_ADMIN_PASSWORD__FILE"]).read_text().strip(),
        "dashboards": sorted(json.loads(path.read_text())["title"] for path in Path(folder).glob("*.json")),
        "prometheus": asked,
        "user": [os.getuid(), os.getgid()],
    }


class Health(BaseHTTPRequestHandler):
    """Answers Grafana's health path."""

    def do_GET(self) -> None:
        """Answer with what is found now; 503 with the reason where something is missing."""
        try:
            status, body = 200 if self.path == "/api/health" else 404, json.dumps(found())
        except (OSError, KeyError, IndexError, ValueError) as error:
            status, body = 503, repr(error)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())


if __name__ == "__main__":
    HTTPServer(("", 3000), Health).serve_forever()
