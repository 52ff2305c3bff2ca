"""A real image registry for a test, on this machine's loopback, gone afterwards; and one that lies."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import docker

from images import build, tags
from images.tags import Image
from testing.meanwhile import until_answered
from testing.ports import free_ports

IMAGE = Image("test-registry", "base", deployed=False, place="tests/integration")
_UP_SECONDS = 30
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@contextmanager
def registry() -> Iterator[str]:
    """Run Debian's docker-registry and yield its address (host:port); Docker asks a loopback registry without TLS."""
    build.ensure(print, [IMAGE])
    (port,) = free_ports(1)
    engine = docker.from_env()
    container = engine.containers.run(
        tags.reference(IMAGE), detach=True, ports={"5000/tcp": ("127.0.0.1", port)}, labels={"friday-litellm.test": "1"}
    )
    try:
        until_answered(f"http://127.0.0.1:{port}/v2/", _UP_SECONDS)
        yield f"127.0.0.1:{port}"
    finally:
        container.remove(force=True, v=True)


@contextmanager
def lying_registry() -> Iterator[str]:
    """Run a registry that answers every digest with one manifest, which has another."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Liar)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


_CONFIG = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}).encode()


class _Liar(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        digest = f"sha256:{hashlib.sha256(_CONFIG).hexdigest()}"
        config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(_CONFIG), "digest": digest}
        manifest = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": []}
        body = json.dumps(manifest).encode() if "/manifests/" in self.path else _CONFIG
        self.send_response(200)
        self.send_header("Content-Type", _MANIFEST if "/manifests/" in self.path else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_GET = do_HEAD = _answer  # noqa: N815 - the library's names

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
