"""The way out of a stack: what the containers get, who gets nothing, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from components import parts
from components.migration import migration
from components.settings.source import SettingsError, from_stack_file
from components.workload import Workload
from testing.certificates import Authority
from tests.unit.declared import IMAGES
from tests.unit.given import LOCAL, SECRETS, settings, stack_file

PROXY = "http://proxy.example:3128"
OWN = {**LOCAL["friday"], "image": "registry.example/friday:1"}


def declared(**changes: Any) -> dict[str, Workload]:
    return {each.part: each for each in parts.declare("t", settings(**changes), IMAGES)}


@pytest.mark.parametrize("friday", [LOCAL["friday"], OWN])
def test_gateway_and_friday_get_proxy_and_authorities_and_the_others_nothing(
    tmp_path: Path, friday: dict[str, Any]
) -> None:
    ca = Authority(tmp_path / "company").ca
    egress = {"proxy": PROXY, "noProxy": [".example.org"], "caFile": str(ca)}
    found = declared(egress=egress, friday=friday)
    for part in ("litellm", "friday"):
        env = found[part].env
        assert (env["HTTPS_PROXY"], env["SSL_CERT_FILE"]) == (PROXY, "/etc/friday/egress-ca.pem")
        assert env["NODE_EXTRA_CA_CERTS"] == env["SSL_CERT_FILE"]
        assert {"edge", "redis", "localhost", ".example.org"} <= set(env["NO_PROXY"].split(","))
        assert "HTTP_PROXY" not in env
        assert found[part].files["egress-ca.pem"].content == ca.read_text()
    for part in found.keys() - {"litellm", "friday"}:
        assert "HTTPS_PROXY" not in found[part].env
        assert "egress-ca.pem" not in found[part].files


def test_without_the_settings_nothing_is_added() -> None:
    for each in declared().values():
        assert not {"HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "NODE_USE_ENV_PROXY"} & each.env.keys()
        assert "egress-ca.pem" not in each.files


def test_a_migration_runs_as_without_them_and_a_role_gets_them(tmp_path: Path) -> None:
    ca = Authority(tmp_path / "company").ca
    own = {**OWN, "migrate": {"command": ["migrate"]}, "roles": {"worker": {"command": ["work"]}}}
    egress = {"proxy": PROXY, "caFile": str(ca)}
    before, after = (migration("t", settings(friday=own, **changed), IMAGES) for changed in ({}, {"egress": egress}))
    assert before is not None
    assert before == after
    worker = declared(friday=own, egress=egress)["worker"]
    assert (worker.env["HTTPS_PROXY"], "egress-ca.pem" in worker.files) == (PROXY, True)


def test_a_team_that_names_a_proxy_of_its_own_keeps_it() -> None:
    own = {**LOCAL["friday"], "environment": {**LOCAL["friday"]["environment"], "HTTPS_PROXY": "http://other:1"}}
    assert declared(egress={"proxy": PROXY}, friday=own)["friday"].env["HTTPS_PROXY"] == "http://other:1"


@pytest.mark.parametrize("content", [None, "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n", "\xe9"])
def test_a_file_without_authorities_is_refused_before_anything_changes(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"egress\.caFile") as caught:
        declared(egress={"caFile": str(path)})
    assert "fix: give the file" in str(caught.value)


@pytest.mark.parametrize(
    "egress",
    [
        {"proxy": "http://user:password@proxy.example:3128"},
        {"proxy": "https://proxy.example:3128"},
        {"proxy": "proxy.example:3128"},
        {"proxy": "http://proxy.example"},
        {"noProxy": ["a,b"]},
        {"noProxy": ["*"]},
        {"nothing": 1},
    ],
)
def test_what_is_no_way_out_is_refused(tmp_path: Path, egress: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"friday-litellm:egress"):
        from_stack_file(stack_file(tmp_path, {"egress": egress}), SECRETS)
