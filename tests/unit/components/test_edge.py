"""The rendered HAProxy configuration, as far as it can be judged without HAProxy."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.edge import CLOSE_GATEWAY, OPEN_GATEWAY, SWITCH, EdgeConfig, gateway_is_open
from gateway.request_body import MAX_BODY_BYTES

KEY = "sk-unit-test-key"


def config(**changes: object) -> EdgeConfig:
    return EdgeConfig.model_validate({"friday_replicas": 2, "litellm_replicas": 2, "edge_key": KEY, **changes})


def section(text: str, name: str) -> str:
    match = re.search(rf"^{name}\n(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert match, name
    return match[1]


def test_the_credential_is_added_on_the_internal_port_only() -> None:
    text = config().render()
    assert text.count(KEY) == 1
    assert f"Bearer {KEY}" in section(text, "listen gateway_internal")


def test_the_key_is_not_shown_by_the_model() -> None:
    assert KEY not in repr(config())


@pytest.mark.parametrize(("friday", "litellm", "slots"), [(2, 4, (10, 10)), (5, 6, (12, 14)), (0, 0, (10, 10))])
def test_slots_hold_old_and_new_replicas(friday: int, litellm: int, slots: tuple[int, int]) -> None:
    text = config(friday_replicas=friday, litellm_replicas=litellm).render()
    assert f"server-template friday {slots[0]} friday:3000" in text
    assert f"server-template litellm {slots[1]} litellm:4000" in text


def test_no_address_is_refused_while_there_is_room_and_no_named_proxy_ever() -> None:
    rule = "reject if { fe_conn gt 3800 } { sc0_conn_cur gt 400 }"
    assert f"{rule}\n" in section(config().render(), "listen users")
    named = section(config(trusted_proxies=("10.0.0.0/8", "192.0.2.1")).render(), "listen users")
    assert f"{rule} !{{ src 10.0.0.0/8 192.0.2.1/32 }}\n" in named


@pytest.mark.parametrize("backend", ["friday", "litellm"])
def test_nothing_that_may_have_been_served_is_repeated(backend: str) -> None:
    rules = section(config().render(), f"backend {backend}")
    assert re.findall(r"retry-on (.*)", rules) == ["conn-failure"]
    assert "option http-server-close" in rules
    assert "option redispatch 1" in rules


def test_chats_are_counted_apart_only_where_their_paths_are_set() -> None:
    assert "chats" not in config().render()
    text = config(friday_chat_paths=("/api/trpc/chat", "/api/chat")).render()
    users = section(text, "listen users")
    assert "use_backend friday_chats if { path -m beg /api/trpc/chat /api/chat }\n    default_backend friday" in users
    assert "server chats unix@/tmp/chats.sock" in section(text, "backend friday_chats")
    assert "default_backend friday" in section(text, "listen chats")


def test_a_callers_key_decides_how_much_is_said_of_the_gateways_health() -> None:
    text = config().render()
    by_port = {name: section(text, f"listen {name}") for name in ("gateway_internal", "gateway_host")}
    found = {name: re.findall(r"set-path (\S+) if stock_health(.*)", rules) for name, rules in by_port.items()}
    assert found == {
        "gateway_internal": [("/health/summary", ""), ("/health/liveliness", "")],
        "gateway_host": [("/health/summary", " { req.hdr(authorization) -m found }"), ("/health/liveliness", "")],
    }


@pytest.mark.parametrize("frontend", ["gateway_internal", "gateway_host"])
def test_both_gateway_ports_have_the_same_rules(frontend: str) -> None:
    # Guessing is slowed at the host's port alone: the other one is asked by Friday, without a key.
    rules, guessing, _ = section(config().render(), f"listen {frontend}").partition("    # Guessing is slow")
    assert bool(guessing) == (frontend == "gateway_host")
    own = [
        line
        for line in rules.splitlines()
        # Who shows no key at the host's port is told less of the gateway's health.
        if not any(word in line for word in ("Authorization", "bind", "#", "if stock_health", "maxconn"))
    ]
    other = section(config().render(), "listen gateway_internal")
    for line in own:
        assert line in other


def test_the_check_of_friday_is_what_is_set_and_that_of_the_gateway_stays() -> None:
    text = config(friday_check_ms=5000, friday_probe_headers={"X-It's": "100% o'k"}).render()
    friday, gateway = section(text, "backend friday"), section(text, "backend litellm")
    assert "hdr Connection close hdr 'X-It'\\''s' '100%% o'\\''k'\n" in friday
    assert "check inter 5000ms fastinter 150ms downinter 300ms fall 3" in friday
    assert "hdr Connection close\n" in gateway
    assert "check inter 1000ms fastinter 150ms downinter 300ms fall 3" in gateway
    assert "inter 100ms fastinter 100ms downinter 100ms" in config(friday_check_ms=100).render()


def test_only_users_may_send_more() -> None:
    text = config(max_body_mb=50).render()
    assert "gt 50000000 }" in section(text, "listen users")
    assert f"gt {MAX_BODY_BYTES} }}" in section(text, "listen gateway_internal")
    assert "gt 10000000 }" in section(config().render(), "listen users")


@pytest.mark.parametrize(
    ("frontend", "limit"), [("users", 10000000), ("gateway_internal", MAX_BODY_BYTES), ("gateway_host", MAX_BODY_BYTES)]
)
def test_a_body_has_one_limit_with_and_without_its_length(frontend: str, limit: int) -> None:
    rules = section(config().render(), f"listen {frontend}")
    assert f"filter lua.limit_body {limit} '" in rules
    assert f"{{ req.hdr_val(content-length) gt {limit} }}" in rules


@pytest.mark.parametrize(("gateway_open", "suffix"), [(True, ""), (False, " disabled")])
def test_the_switch_can_start_closed(gateway_open: bool, suffix: str) -> None:
    text = config(gateway_open=gateway_open).render()
    assert section(text, "backend gateway_switch").strip() == f"server open 127.0.0.1:8404{suffix}"


def test_error_bodies_are_json_in_openais_form() -> None:
    text = config().render()
    bodies = [json.loads(body) for body in re.findall(r"(?:string|limit_body \d+) '(.*?)'", text)]
    words = {"bad_request", "not_found", "method_not_allowed", "too_large", "replica_failed", "unavailable"}
    assert {body["error"]["code"] for body in bodies} >= {*words, "unsupported_encoding", "gateway_closed"}
    assert all(set(body["error"]) == {"message", "type", "param", "code", "request_id"} for body in bodies)
    answers = [line for line in text.splitlines() if "-string '" in line]
    assert all("hdr X-Request-Id %[var(txn.request_id)]" in line for line in answers)
    assert len(answers) > 10


def test_a_stopping_edge_outlasts_every_answer_that_is_on_its_way() -> None:
    text = config().render()
    (stop,) = re.findall(r"hard-stop-after (\d+)ms", text)
    answers = re.findall(r"timeout (?:client|server) (\d+)ms", text)
    assert len(answers) == 2
    assert all(int(stop) >= int(longest) for longest in answers)


@given(key=st.text(min_size=8, max_size=40).filter(lambda key: not re.fullmatch(r"[A-Za-z0-9._~+/=-]+", key)))
def test_a_key_that_could_end_its_quotes_is_refused(key: str) -> None:
    with pytest.raises(ValidationError):
        config(edge_key=key)


@pytest.mark.parametrize(
    "changes",
    [
        {"friday_replicas": -1},
        {"litellm_replicas": 51},
        {"friday_health_path": "/health z"},
        {"friday_health_path": "/x\n    http-request allow"},
        {"no_such_setting": 1},
    ],
)
def test_wrong_values_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        config(**changes)


def test_the_state_of_the_switch_is_read_from_haproxys_answer() -> None:
    head = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight\n"
    assert gateway_is_open(f"{head}8 gateway_switch 1 open 127.0.0.1 2 0 1\n")
    assert not gateway_is_open(f"{head}8 gateway_switch 1 open 127.0.0.1 0 1 1\n")
    with pytest.raises(ValueError, match=r"gateway_switch/open"):
        gateway_is_open("Can't find backend.\n")


def test_switch_commands_name_the_server_of_the_config() -> None:
    backend, server = SWITCH.split("/")
    assert f"server {server} " in section(config().render(), f"backend {backend}")
    assert SWITCH in CLOSE_GATEWAY
    assert SWITCH in OPEN_GATEWAY
