"""Whether an update can be gone back to: the images that hosts hold, and the settings that still mean something."""

from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError, ImageNotFound

from cli.main import main
from images.tags import local_images
from ops.checks import rollback_target
from ops.checks.rollback_target import Shelf
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts import images
from ops.hosts.images import ImageHost, Need
from ops.rollout.history import Entry
from ops.rollout.rollback_plan import LEVELS
from tests.unit.given import settings
from tests.unit.ops.deployed import Played
from tests.unit.ops.evidence import entry

NAMED = "registry.example/friday:1"
CONFIG = {"friday-litellm:upstream": "simulator"}
OWN = {**CONFIG, "friday-litellm:friday": f'{{"image": "{NAMED}"}}'}
BUILT = set(local_images().values())


class Host:
    """A host with these images; it counts how often each is looked for."""

    def __init__(self, held: set[str], address: str = "unix:///s") -> None:
        self.held = held
        self.asked: list[str] = []
        self.engine: Any = ImageHost(address, self, "amd64")  # type: ignore[arg-type]
        self.images = self

    def get(self, reference: str) -> Any:
        self.asked.append(reference)
        if reference not in self.held:
            raise ImageNotFound("no")
        attrs = {"Id": reference, "RootFS": {}, "Architecture": "amd64", "Size": 1}
        return SimpleNamespace(attrs=attrs)

    def get_registry_data(self, _: str) -> Any:
        raise APIError("manifest unknown")


def update(hours: float, percentage: int, config: dict[str, str]) -> Entry:
    return entry(hours, percentage, config=config)


def shelf(*hosts: Host, here: Host | None = None) -> Shelf:
    return Shelf("t", [host.engine for host in hosts], here.engine if here else None)


def test_an_update_whose_images_every_host_holds_can_be_made_again() -> None:
    assert shelf(Host(BUILT), Host(BUILT | {NAMED})).problem(update(1, 10, CONFIG)) is None


def test_an_image_that_one_host_lacks_and_no_registry_has_is_gone() -> None:
    problem = shelf(Host(BUILT | {NAMED}), Host(BUILT, "ssh://far")).problem(update(1, 10, OWN))
    assert problem is not None
    assert problem.message == f"ssh://far: image {NAMED}: the registry does not have it"


def test_an_image_that_a_registry_offers_is_not_gone_and_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(BUILT)
    pulled: list[str] = []
    told: list[str] = []
    monkeypatch.setattr(images, "_offered", lambda *_: {"amd64"})
    monkeypatch.setattr(images, "pull", lambda need, _: pulled.append(need.reference))
    assert shelf(host).problem(update(1, 10, OWN)) is None
    shelf(host).fetch(update(1, 10, OWN), told.append)
    assert (pulled, told) == ([NAMED], [f"unix:///s: pulling {NAMED}"])


@pytest.mark.parametrize("here", [None, Host(set())], ids=["no engine here", "not built here"])
def test_what_nobody_has_must_be_built_unless_the_old_code_builds_it(here: Host | None) -> None:
    problem = shelf(Host(set()), here=here).problem(update(1, 10, CONFIG))
    assert problem is not None
    assert problem.fix == "./fridayctl setup builds it; then again"
    assert shelf(Host(set()), here=here).problem(update(1, 10, CONFIG), built_here=False) is None


def test_what_is_built_here_is_sent_to_the_host_that_lacks_it() -> None:
    first, *rest = sorted(BUILT)
    found = shelf(Host(BUILT), Host(set(rest)), here=Host(BUILT))
    assert found.problem(update(1, 10, CONFIG)) is None
    assert [need.reference for need in found.to_send(update(1, 10, CONFIG))] == [first]
    assert shelf(Host(BUILT)).to_send(update(1, 10, CONFIG)) == []


def test_what_a_stack_without_gateway_does_not_need_is_sent_for_an_update_that_had_one() -> None:
    off = {**CONFIG, "friday-litellm:litellmEnabled": "false", "friday-litellm:litellm": '{"replicas": 0}'}
    redis = local_images()["redis"]
    found = shelf(Host(BUILT - {redis}), here=Host(BUILT))
    assert found.to_send(update(1, 0, off)) == []
    assert [need.reference for need in found.to_send(update(2, 50, CONFIG))] == [redis]


def test_settings_that_mean_nothing_today_are_left_to_level_4() -> None:
    problem = shelf().problem(update(1, 10, {**CONFIG, "friday-litellm:edge": '{"gone": 1}'}))
    assert problem is not None
    assert "friday-litellm:edge.gone: is not a setting" in problem.message
    assert "--level 4" in problem.fix


def test_each_image_is_looked_for_once() -> None:
    host = Host(BUILT)
    looked = shelf(host)
    for hours in (1, 2, 3):
        looked.problem(update(hours, 10, CONFIG))
    assert len(host.asked) == len(set(host.asked))


@pytest.mark.parametrize(
    ("older", "way"), [(CONFIG, "--level 2 --to 2 goes to the newest that can be"), (OWN, "--level 1 needs none")]
)
def test_a_target_whose_image_is_gone_is_refused_with_the_next_one(older: dict[str, str], way: str) -> None:
    entries = [update(1, 50, CONFIG), update(2, 10, OWN), update(3, 0, older)]
    with pytest.raises(OperationError) as caught:
        rollback_target.require(shelf(Host(BUILT)), entries[1], entries, "t", LEVELS[2])
    assert caught.value.exit_code == EXIT_USAGE
    assert caught.value.message.startswith("the update of 2026-11-24T10:00:00Z cannot be restored: unix:///s: image")
    assert caught.value.fix.endswith(f"; or ./fridayctl rollback t {way}")
    rollback_target.require(shelf(Host(BUILT | {NAMED})), entries[1], entries, "t", LEVELS[2])


def test_a_host_that_is_not_reached_hinders_nobody() -> None:
    told: list[str] = []
    chosen = settings(dockerHost="unix:///nonexistent.sock")
    opened = rollback_target.shelf_of(Played(lambda: chosen, lambda _, text: told.append(text)))
    assert opened.problem(update(1, 10, CONFIG)) is None
    assert "unix:///nonexistent.sock" in told[0]


def test_the_list_marks_what_cannot_be_restored(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = [update(1, 50, CONFIG), update(2, 10, OWN), update(3, 0, CONFIG)]
    Played().given(history=entries).everywhere(monkeypatch)
    monkeypatch.setattr(rollback_target, "shelf_of", lambda _: shelf(Host(BUILT)))
    assert main(["rollback", "t", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.strip().startswith("cannot be restored: unix:///s: image") for line in lines] == [
        False,
        False,
        True,
        False,
        False,
    ]
    assert main(["rollback", "t", "--list", "--json"]) == 0
    text = capsys.readouterr().out
    assert text.count('"problem": "unix:///s: image registry.example/friday:1') == 1
    assert text.count('"problem": null') == 1


def test_a_need_is_lost_only_where_it_is_not_held() -> None:
    need = Need(NAMED, ("friday",), built_here=False)
    assert images.lost(need, Host({NAMED}).engine, None) is None
    assert images.lost(need, Host(set()).engine, Host({NAMED}).engine) is not None
