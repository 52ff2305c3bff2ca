"""An edge takes another configuration, certificate and number of replicas while users ask: none is refused."""

import hashlib
import shutil
import socket
import ssl
from pathlib import Path
from typing import Any, cast

import pytest

from components.certificate import Certificate, read
from components.edge import CLOSE_GATEWAY, SHOW_GATEWAY, EdgeConfig, contents, gateway_is_open
from ops.hosts.edge_runtime import running_in_older
from testing.certificates import Authority
from tests.integration.edge.stage import KEY, Stage
from tests.integration.edge.test_edge_replacement import Load
from tests.integration.edge.test_edge_tls import shaken, trusting

pytestmark = pytest.mark.engine


def take(stage: Stage, certificate: Certificate | None = None, **changes: object) -> None:
    """Give the edge other files, and wait until it has taken them."""
    stage.write_files(certificate, **changes)
    stage.until(lambda: stage.taken() == "taken")


def more(stage: Stage, load: Load) -> None:
    """Wait for another second of answers."""
    seen = len(load.answers)
    stage.until(lambda: len(load.answers) > seen + 50)


def test_a_change_refuses_nobody(stage: Stage) -> None:
    with Load(stage.ports["users"], "/api/chat") as load:
        more(stage, load)
        for number in range(5):
            take(stage, friday_replicas=4 + number, sticky_cookie=f"HOME{number}")
            more(stage, load)
    assert not load.failures()
    assert "friday18" in [row["svname"] for row in stage.servers("friday")]


def test_what_was_switched_stays_switched(stage: Stage) -> None:
    stage.runtime(CLOSE_GATEWAY)
    take(stage, friday_replicas=6)
    assert not gateway_is_open(stage.runtime(SHOW_GATEWAY))


def test_files_that_are_not_whole_are_not_taken(stage: Stage) -> None:
    values = {"friday_replicas": 8, "litellm_replicas": 2, "edge_key": KEY}
    files = contents(EdgeConfig.model_validate(values))
    stage.put({"haproxy.cfg": "cut short", "manifest": files["manifest"]})
    with Load(stage.ports["users"], "/api/chat") as load:
        more(stage, load)
        more(stage, load)
    assert stage.taken() == "not yet"
    assert not load.failures()
    stage.put(files)
    stage.until(lambda: stage.taken() == "taken")


def test_a_configuration_that_haproxy_refuses_changes_nothing(stage: Stage) -> None:
    text = "nonsense\n"
    stage.put({"haproxy.cfg": text, "manifest": f"{hashlib.sha256(text.encode()).hexdigest()}  haproxy.cfg\n"})
    stage.until(lambda: stage.taken() not in ("taken", "not yet"))
    assert "unknown keyword 'nonsense'" in stage.taken()
    with Load(stage.ports["users"], "/api/chat") as load:
        more(stage, load)
        take(stage, friday_replicas=8)
        more(stage, load)
    assert not load.failures()


@pytest.mark.skipif(not shutil.which("openssl"), reason="certificates are made with the openssl command")
def test_a_renewed_certificate_is_shown_and_refuses_nobody(stage: Stage, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    old, new = (read(*authority.sign(name, "-days", "90")) for name in ("old", "new"))
    take(stage, old, https_port=8443, trusted_proxies=["10.0.0.0/8"])
    with Load(stage.ports["internal"], "/chat/completions") as load:
        more(stage, load)
        for certificate in (new, old):
            take(stage, certificate, https_port=8443, trusted_proxies=["10.0.0.0/8"])
            with shaken(stage, trusting(authority)) as connection:
                assert connection.getpeercert(binary_form=True) == certificate.der()
    assert not load.failures()


@pytest.mark.skipif(not shutil.which("openssl"), reason="certificates are made with the openssl command")
def test_a_certificate_that_has_ended_is_replaced_without_a_gap(stage: Stage, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    ended, new = read(*authority.sign("ended", "-days", "-1")), read(*authority.sign("new", "-days", "90"))
    take(stage, ended, https_port=8443, trusted_proxies=["10.0.0.0/8"])
    with Load(stage.ports["internal"], "/chat/completions") as load:
        with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
            shaken(stage, trusting(authority))
        more(stage, load)
        take(stage, new, https_port=8443, trusted_proxies=["10.0.0.0/8"])
        with shaken(stage, trusting(authority)) as connection:
            assert connection.getpeercert(binary_form=True) == new.der()
    assert not load.failures()


class Host:
    """The stage's edge, as the host of a stack is asked for its edges."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def run_in(self, stack: str, part: str, command: list[str]) -> dict[str, str]:
        assert (stack, part) == (self.stage.name, "edge")
        return {"edge": cast(bytes, self.stage.edge.exec_run(command).output).decode()}


def test_what_runs_in_the_process_before_is_counted(stage: Stage) -> None:
    """Before a replica is stopped its requests are waited for, also those that a reload has left behind."""
    host: Any = Host(stage)
    body = b'{"patient": 1}'
    with socket.create_connection(("127.0.0.1", stage.ports["users"])) as user:
        user.sendall(b"POST /api/chat HTTP/1.1\r\nHost: edge\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        stage.until(lambda: busy(stage) != [])
        (address,) = busy(stage)
        take(stage, friday_replicas=10)
        assert busy(stage) == []
        assert running_in_older(host, stage.name, [address]) == 1
        assert running_in_older(host, stage.name, ["192.0.2.1"]) == 0
    stage.until(lambda: running_in_older(host, stage.name, [address]) == 0)


def busy(stage: Stage) -> list[str]:
    """Return the addresses of the Fridays that answer something now, as the process that was started last sees it."""
    return [row["addr"].partition(":")[0] for row in stage.servers("friday") if row["scur"] != "0"]
