"""An application that does nothing for the stack, deployed by the stack file that the docs give a team."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from components.edge import SOCAT
from testing import stock_image
from testing.confinement import STATUS, Confined
from testing.meanwhile import until
from testing.project import Project

pytestmark = [pytest.mark.engine, pytest.mark.beside]

# Half of the users, of whom these two are one each.
GATEWAYS_USER, DIRECT_USER = 7, 70


def asked(project: Project, user: int) -> tuple[int, str]:
    """Chat as a user does, through the edge; return the status and which way the application went."""
    path, headers, body = stock_image.chat(user)
    answer = httpx.post(f"{project.url}{path}", headers=headers, json=body, timeout=60)
    return answer.status_code, answer.headers["x-stock-path"]


def test_its_users_get_pages_and_answers(stock: Project) -> None:
    assert httpx.get(stock.url).status_code == 500  # its own word on a request without origin
    assert httpx.get(stock.url, headers={"Origin": stock_image.ORIGIN}).status_code == 200
    assert asked(stock, GATEWAYS_USER) == (200, "gateway")
    # Its own way leads to OpenRouter's fixed address, which no test may reach.
    assert asked(stock, DIRECT_USER)[1] == "direct"


def test_its_container_is_what_the_settings_say(stock: Project, network: str) -> None:
    replicas = stock.containers("friday")
    assert len(replicas) == 2
    for each in replicas:
        code, text = each.exec_run(["sh", "-c", "id -un; cat /logs/app.log; mkdir /reports/x"])
        assert code == 0
        assert isinstance(text, bytes)
        assert text.startswith(b"node\n")
        assert b'"jobs scheduled"' in text
        assert Confined().problems(stock.shell_in(each, STATUS)) == []
        assert {network, f"friday-{stock.stack}-app"} == set(each.attrs["NetworkSettings"]["Networks"])
    assert f"friday-{stock.stack}-friday-uploads" in {volume.name for volume in stock.volumes()}


def test_a_replica_that_ends_comes_back(stock: Project) -> None:
    """Its folders are its user's at every start."""
    one = stock.containers("friday")[0]
    one.restart(timeout=0)

    def is_healthy() -> bool:
        one.reload()
        return bool(one.attrs["State"]["Health"]["Status"] == "healthy")

    until(is_healthy, lambda: one.logs(tail=20).decode(), 120, every=1)


def test_a_network_that_is_not_there_is_named_before_anything_changes(stock: Project) -> None:
    with stock.configured(friday={**stock.settings["friday"], "networks": ["friday-litellm-test-nowhere"]}):
        refused = stock.fridayctl("up", stock.stack, code=2)
    assert "friday.networks: friday-litellm-test-nowhere is no network of the host" in refused.err


def test_a_changed_percentage_is_obeyed(stock: Project) -> None:
    assert asked(stock, 42) == (200, "gateway")
    stock.configure({"rolloutPercentage": 10})
    said = stock.fridayctl("up", stock.stack).out
    assert "GET / answered 200 through it, it sends users to 2 of 2 replicas of Friday" in said
    assert "5 of 5 models can answer" in said
    assert f"curl -si {stock.url}/\n" in said
    assert asked(stock, GATEWAYS_USER) == (200, "gateway")
    assert asked(stock, 42)[1] == "direct"


def test_a_failed_update_leaves_what_serves_and_nothing_else(stock: Project) -> None:
    before = {each.id for each in stock.containers("friday")}
    friday = stock.settings["friday"]
    folder = ["node", "-e", "fs.mkdirSync('/nowhere')"]
    # It ends at once, again and again: nobody waits for half an hour.
    with stock.configured(friday={**friday, "command": folder, "startSeconds": 1800}):
        failed = stock.fridayctl("up", stock.stack, code=1)
    assert "EACCES: permission denied, mkdir '/nowhere'" in failed.text
    assert "Friday's user may not write /nowhere" in failed.err
    assert "it goes on serving users, with 2 replicas of Friday" in failed.text
    assert {each.id for each in stock.containers("friday")} == before
    assert "nothing to change" in stock.fridayctl("up", stock.stack).out


def test_a_percentage_that_the_app_does_not_obey_is_said(stock: Project) -> None:
    friday = stock.settings["friday"]
    obeys_nobody = {**friday, "environment": {**friday["environment"], "FORCE_MODEL_ROUTING": "false"}}
    with stock.configured(friday=obeys_nobody, rolloutPercentage=100):
        stock.fridayctl("up", stock.stack)
        with ThreadPoolExecutor(25) as users:  # each waits for OpenRouter's name, which nobody knows here
            assert {path for _, path in users.map(lambda user: asked(stock, user), range(25))} == {"direct"}
        until(lambda: "does the app obey" in status(stock), "the unused gateway is said", 60, every=2)
        assert "100 % declared, 0 gateway calls" in status(stock)


def status(stock: Project) -> str:
    """Return the warnings of `status`, which says all well otherwise."""
    found = json.loads(stock.fridayctl("status", stock.stack, "--json").out)
    return "\n".join(found["warnings"])


def test_replicas_that_the_edge_leaves_out_are_named(stock: Project) -> None:
    def set_all(state: str) -> None:
        (edge,) = stock.containers("edge")
        commands = "; ".join(f"set server friday/friday{slot} state {state}" for slot in range(1, 11))
        edge.exec_run(["bash", "-c", f"echo '{commands}' | {' '.join(SOCAT)}"])

    def left_out() -> bool:
        ran = stock.fridayctl("status", stock.stack, code=1)
        return ran.out.count("out, which is in maintenance") == 2

    set_all("maint")
    try:
        until(left_out, "both replicas are named", 60, every=2)
    finally:
        set_all("ready")
    until(lambda: asked(stock, GATEWAYS_USER)[0] != 503, "users get answers again", 60)


def test_down_names_a_foreign_container_and_removes_the_volume(stock: Project) -> None:
    app = stock.engine.networks.get(f"friday-{stock.stack}-app")
    guest = stock.engine.containers.run(
        stock.images()["edge"], ["sleep", "600"], detach=True, name=f"guest-{stock.stack}", network=app.name
    )
    try:
        refused = stock.fridayctl("down", stock.stack, "--yes", code=2)
        assert f"guest-{stock.stack} is on friday-{stock.stack}-app" in refused.err
        assert len(stock.containers("friday")) == 2
    finally:
        guest.remove(force=True)
    stock.fridayctl("down", stock.stack, "--yes")
    assert stock.everything() == []
    assert stock.volumes() == []
