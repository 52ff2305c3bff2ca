"""Whom the edge believes, users who come back to a replica, and HTTPS: settings, and what is rendered of them."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from components.edge import certificate_of, contents
from components.settings.source import SettingsError
from components.stack import summary
from testing.certificates import Authority
from tests.unit.components.test_edge import config, section
from tests.unit.components.test_settings_source import message
from tests.unit.declared import by_part, declare, plain
from tests.unit.given import settings, stack_file


@pytest.mark.parametrize(
    ("edge", "expected"),
    [
        ({"trustedProxies": ["10.0.0.1/8"]}, ["edge.trustedProxies.0", "10.0.0.1/8 has host bits set"]),
        ({"trustedProxies": ["10.0.0.1", "nobody"]}, ["edge.trustedProxies.1", "'nobody' does not appear"]),
        ({"trustedProxies": ["::/0"]}, ["edge.trustedProxies.0", "that is everybody"]),
        ({"trustedProxies": "10.0.0.1"}, ["edge.trustedProxies", "a list of the addresses or networks"]),
        ({"proxyProtocol": True}, ["edge.trustedProxies should name who speaks the PROXY protocol"]),
        ({"stickyCookie": "a b"}, ["edge.stickyCookie", "up to 64 letters, digits", "'a b'"]),
        ({"tls": {"certificateFile": "a.pem"}}, ["edge.tls should name both certificateFile and keyFile"]),
        ({"tls": {"keyFile": "a.pem"}}, ["edge.tls should name both certificateFile and keyFile"]),
        (
            {"tls": {"certificateFile": "a", "keyFile": "b", "port": 3000}},
            ["edge.port and edge.tls.port should differ"],
        ),
        ({"tls": {"hstsSeconds": -1}}, ["edge.tls.hstsSeconds", "seconds from 0 to 63072000"]),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, edge: dict[str, Any], expected: list[str]) -> None:
    text = message(stack_file(tmp_path, {"edge": edge}))
    assert [part for part in expected if part not in text] == []


def test_without_these_settings_nobody_is_believed_about_the_client_and_all_else_passes() -> None:
    users = section(config().render(), "listen users")
    assert re.findall(r"X-Forwarded-\S+ .*", users) == ["X-Forwarded-For %[src]"]
    assert "ssl" not in config().render()
    assert "cookie" not in config().render()


def test_proxies_are_believed_on_the_users_port_only() -> None:
    text = config(trusted_proxies=["10.0.0.0/8", "2001:db8::1"], proxy_protocol=True).render()
    users = section(text, "listen users")
    assert "acl from_proxy src 10.0.0.0/8 2001:db8::1/128" in users
    assert "expect-proxy layer4 if { src 10.0.0.0/8 2001:db8::1/128 }" in users
    rest = text.replace(users, "")
    assert "from_proxy" not in rest
    assert "expect-proxy" not in rest


def test_an_address_in_front_of_one_that_is_none_is_not_believed() -> None:
    steps = re.findall(
        r"set-src req.hdr_ip\(x-forwarded-for,-(\d)\) if from_proxy(.*)",
        config(trusted_proxies=["10.0.0.0/8"]).render(),
    )
    assert [int(number) for number, _ in steps] == [1, 2, 3, 4, 5]
    assert [conditions.count("-m found") for _, conditions in steps] == [0, 1, 2, 3, 4]


def test_the_sticky_cookie_is_fridays_only_and_shows_no_key() -> None:
    text = config(sticky_cookie="HOME").render()
    assert "cookie HOME insert indirect nocache httponly dynamic" in section(text, "backend friday")
    assert text.count("cookie HOME") == 1
    # Who leaves would keep its users: HAProxy follows a cookie to a server that gets nothing else any more.
    assert "error-status L7OKC" not in section(text, "backend friday")
    assert "error-status L7OKC" in section(config().render(), "backend friday")
    assert "error-status L7OKC" in section(text, "backend litellm")
    assert text.count("sk-unit-test-key") == 1
    assert "httponly secure dynamic" in config(sticky_cookie="HOME", https_port=443).render()


@pytest.mark.parametrize(("port", "shown"), [(443, ""), (8443, ":8443")])
def test_clear_text_is_sent_on_to_the_hosts_port(port: int, shown: str) -> None:
    users = section(config(https_port=port, hsts_seconds=300).render(), "listen users")
    assert f"redirect code 308 location https://%[req.hdr(host),host_only]{shown}%[pathq] if !{{ ssl_fc }}" in users
    assert "max-age=300 if { ssl_fc }" in users
    assert "max-age" not in config(https_port=port).render()


def test_old_versions_of_tls_are_not_spoken() -> None:
    text = config(https_port=443).render()
    assert "ssl-min-ver TLSv1.2" in text
    (ciphers,) = re.findall(r"ssl-default-bind-ciphers (\S+)", text)
    assert all(name.startswith("ECDHE-") and ("GCM" in name or "POLY1305" in name) for name in ciphers.split(":"))


@pytest.fixture
def tls(tmp_path: Path) -> dict[str, Any]:
    if not shutil.which("openssl"):
        pytest.skip("certificates are made with the openssl command")
    certificate, key = Authority(tmp_path / "authority").sign("friday", "-days", "90")
    return {"certificateFile": str(certificate), "keyFile": str(key), "port": 8443}


def test_the_edge_gets_certificate_and_port(tls: dict[str, Any]) -> None:
    chosen = settings(edge={"tls": tls, "bindAddress": "0.0.0.0"})  # noqa: S104
    declared = declare(chosen)
    (edge,) = by_part(declared)["edge-ports"]
    assert {(port["internal"], port["external"], port["ip"]) for port in edge["ports"]} == {
        (3000, 3000, "0.0.0.0"),  # noqa: S104
        (3443, 8443, "0.0.0.0"),  # noqa: S104
        (4001, 4000, "127.0.0.1"),
    }
    held = next(
        found for name, found in declared.of("docker:index/container:Container").items() if "edge-files" in name
    )
    uploads = {upload["file"]: upload["content"] for upload in plain(held["uploads"])}
    assert uploads["/etc/friday/edge.pem"].count("PRIVATE KEY") == 2
    assert chosen.host_ports["edge.tls.port"] == ("0.0.0.0", 8443)  # noqa: S104
    assert summary(chosen)["fridayUrl"] == "https://127.0.0.1:8443"


def test_a_certificate_that_cannot_be_used_is_a_wrong_setting(tls: dict[str, Any]) -> None:
    chosen = settings(edge={"tls": {**tls, "keyFile": "/nonexistent/key.pem"}})
    with pytest.raises(SettingsError) as caught:
        certificate_of("prod", chosen)
    assert str(caught.value).startswith(
        "Pulumi.prod.yaml: friday-litellm:edge.tls.keyFile: /nonexistent/key.pem should be readable (No such file"
    )
    assert "\n  fix: correct the path" in str(caught.value)
    assert certificate_of("prod", settings()) is None


def test_no_file_of_the_edge_is_empty() -> None:
    # The Docker plugin refuses to upload one.
    assert all(contents(config()).values())


def test_a_relative_path_begins_at_the_project() -> None:
    chosen = settings(edge={"tls": {"certificateFile": "README.md", "keyFile": "README.md"}})
    with pytest.raises(SettingsError, match=r"README\.md should hold a certificate"):
        certificate_of("t", chosen)


def test_a_trusted_proxys_header_is_read_behind_that_of_the_ports() -> None:
    chosen = {"trusted_proxies": ("10.0.0.0/8",), "proxy_protocol": True}
    alone, handed = (config(**chosen, sockets=sockets).render() for sockets in ("", "/run/edge/x"))
    assert "unix@" not in alone
    assert 'bind "unix@/run/edge/x/3000" mode 600 accept-proxy\n    use-server theirs if { src 10.0.0.0/8 }' in handed
    assert handed.count("bind unix@/tmp/3000 mode 600 accept-proxy") == 1
    assert "accept-proxy" not in config(trusted_proxies=("10.0.0.0/8",)).render()


def test_only_what_users_and_callers_send_is_handed_on_with_who_they_are() -> None:
    binds = re.findall(r'bind "unix@/s/(\d+)" mode 600(.*)', config(https_port=443, sockets="/s").render())
    tls = " ssl crt /etc/friday/edge.pem alpn h2,http/1.1"
    assert binds == [
        ("3000", " accept-proxy"),
        ("3443", f" accept-proxy{tls}"),
        ("4000", " accept-proxy proto h1"),
        ("4001", " accept-proxy proto h1"),
        ("8404", " proto h1"),
    ]
