"""How users reach Friday, whom it reaches, and who calls it."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.given import settings
from tests.unit.ops.compose.composed import DATABASE, EVERYWHERE, not_placed, of


@pytest.mark.parametrize(
    ("ports", "edge"),
    [
        ("['3000:3000']", {"port": 3000, "bindAddress": EVERYWHERE}),
        ("['127.0.0.1:8080:3000']", {"port": 8080, "bindAddress": "127.0.0.1"}),
        ("[{target: 3000, published: 80, host_ip: 10.0.0.5}]", {"port": 80, "bindAddress": "10.0.0.5"}),
        ("[{target: 3000, published: '8081'}]", {"port": 8081, "bindAddress": EVERYWHERE}),
        ("['3002:3002', '3000:3000/tcp']", {"port": 3000, "bindAddress": EVERYWHERE}),
        ("['3000']", {"bindAddress": EVERYWHERE}),
        ("[3000]", {"bindAddress": EVERYWHERE}),
        ("['4000:3000']", {"port": 4000, "bindAddress": EVERYWHERE, "gatewayPort": 4001}),
    ],
)
def test_the_port_of_users(tmp_path: Path, ports: str, edge: dict[str, Any]) -> None:
    assert of(tmp_path, f"ports: {ports}").settings["edge"] == edge


@pytest.mark.parametrize("port", [9090, 9093])
def test_prometheus_makes_room_for_the_port_of_users(tmp_path: Path, port: int) -> None:
    found = of(tmp_path, f"ports: ['{port}:3000']").settings
    assert found["monitoring"] == {"port": 9091}
    ports = settings(edge=found["edge"], monitoring=found["monitoring"]).host_ports
    assert ports["monitoring.alerts.port"] == ("127.0.0.1", 9094)


def test_no_port_and_ports_that_the_edge_cannot_serve(tmp_path: Path) -> None:
    found = of(tmp_path, "ports: ['3000-3005:3000-3005', '53:53/udp', '[::1]:80:3000', '9229:9229']")
    assert found.settings["edge"] == {"port": 9229, "bindAddress": EVERYWHERE}
    assert {name for name in not_placed(found) if name.startswith("ports")} == {
        "ports 3000-3005:3000-3005",
        "ports 53:53/udp",
        "ports [::1]:80:3000",
        "ports 9229:9229",  # the app may not obey PORT
    }
    assert "no port is published" in not_placed(of(tmp_path, "expose: [3000]"))["ports"]
    second = of(tmp_path, "ports: [{target: 3000, published: 3000}, {target: 3002, published: 3002}]")
    assert "one port of Friday" in not_placed(second)["ports 3002:3002"]
    assert "ports 8000-8010:3000" in not_placed(of(tmp_path, "ports: [{target: 3000, published: 8000-8010}]"))


@pytest.mark.parametrize(
    ("lines", "more", "networks"),
    [
        ("restart: always", DATABASE, ["shop_default"]),
        ("networks: [back]", "  db: {image: postgres, networks: [back]}\nnetworks: {back: {}}", ["shop_back"]),
        ("networks: [back]", "  db: {image: postgres, networks: [back]}\nnetworks: {back: {name: data}}", ["data"]),
        ("networks: {back: {}}", "networks: {back: {external: true}}", ["back"]),
        ("networks: {back: {}}", "networks: {back: {external: true, name: data}}", ["data"]),
        ("networks: {back: {}}", "networks: {back: {external: {name: data}}}", ["data"]),
        (
            "networks: [front, back]",
            "  db: {image: x, networks: [back]}\nnetworks: {front: , back: }",
            ["shop_back"],
        ),
        ("restart: always", "", None),
        ("restart: always", "  db: {image: postgres, network_mode: host}", None),
    ],
)
def test_networks_that_are_shared(tmp_path: Path, lines: str, more: str, networks: list[str] | None) -> None:
    found = of(tmp_path, lines, more=f"{more}\nname: shop")
    assert found.settings["friday"].get("networks") == networks


def test_others_that_call_friday_by_its_name_are_named(tmp_path: Path) -> None:
    more = """
      mail:
        image: mail
        environment: [WEBHOOK=http://friday:3000/in]
      web:
        image: nginx
        command: ["proxy", "http://friday"]
      other:
        image: other
        environment: {A: 'http://friday-ai:3000'}
    """
    found = of(tmp_path, "ports: [3000]", more="\n".join(line[4:] for line in more.splitlines()))
    assert {each.what: each.where for each in found.not_placed if each.what.startswith("service")} == {
        "service mail": "compose.yml:6",
        "service web": "compose.yml:9",
    }
    assert found.others == ("mail", "web", "other")
