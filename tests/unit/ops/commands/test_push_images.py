"""A push sends what is missing, refuses before it sends anything, and puts what a host says into words."""

import re
from dataclasses import replace
from http.client import IncompleteRead
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError

from cli.main import main
from images.tags import local_images
from ops.commands import push_images
from ops.commands.push_images import ImageAvailability
from ops.errors import EXIT_FAILED, EXIT_USAGE, OperationError
from ops.hosts.image import Image
from ops.hosts.images import ImageHost
from ops.hosts.machine import Space
from tests.unit.ops.archives import before_25, digest, layer, unpacked
from tests.unit.ops.deployed import Played
from tests.unit.ops.engines import Engine, image


def connected(
    monkeypatch: pytest.MonkeyPatch, here: Engine, there: Engine, space: Space | str = "nobody knows"
) -> None:
    """Make this machine's engine and the one host of every stack the given ones; `space` is what that has free."""
    monkeypatch.setattr(push_images, "machine_of", lambda *_: SimpleNamespace(space=lambda _: space))
    monkeypatch.setattr(push_images, "builder", lambda: here)
    host = ImageHost("ssh://host", there, "amd64")  # type: ignore[arg-type]
    monkeypatch.setattr(push_images, "image_hosts", lambda _: [host])


BASE = layer("what all images lie on", 40_000)
REFERENCES = tuple(local_images().values())
EDGE = local_images()["edge"]
LAYERS = {reference: (BASE, layer(reference)) for reference in REFERENCES}


@pytest.fixture
def built() -> dict[str, Image]:
    made = {reference: tuple(map(digest, layers)) for reference, layers in LAYERS.items()}
    return {reference: image(f"sha256:{number}", layers=made[reference]) for number, reference in enumerate(made)}


def builder(built: dict[str, Image], *saved: str) -> Engine:
    """Return an engine with the images, which is asked to save some of them."""
    return Engine(dict(built), archive=before_25({each: LAYERS[each] for each in saved or REFERENCES}))


def but(built: dict[str, Image], *lacking: str) -> Engine:
    """Return an engine that has all images but some, which arrive with the first archive."""
    there = Engine({name: each for name, each in built.items() if name not in lacking})
    there.arrives = [{each: built[each] for each in lacking}]
    return there


def layers_in(archive: bytes) -> set[bytes]:
    return {BASE, *(own for _, own in LAYERS.values())} & set(unpacked(archive).values())


def run_push(monkeypatch: pytest.MonkeyPatch, here: Engine, there: Engine) -> list[push_images.Pushed]:
    connected(monkeypatch, here, there)
    return push_images.push(Played())


def test_only_layers_that_are_missing_are_sent(built: dict[str, Image], monkeypatch: pytest.MonkeyPatch) -> None:
    there = but(built, EDGE)
    (pushed,) = run_push(monkeypatch, builder(built, EDGE), there)
    assert pushed.images == [EDGE]
    (taken,) = there.taken
    assert layers_in(taken) == {LAYERS[EDGE][1]}
    assert pushed.sent_bytes == len(taken) < 20_000
    assert 40_000 < pushed.left_out_bytes < 42_000
    assert there.api.timeout == 60


@pytest.mark.parametrize(
    ("containerd", "factor", "apart"), [(False, 2.0, False), (True, 2.2, False), (True, 2.2, True)]
)
@pytest.mark.parametrize("short", [0, 1])
def test_a_host_without_room_is_sent_nothing(
    built: dict[str, Image], monkeypatch: pytest.MonkeyPatch, containerd: bool, factor: float, apart: bool, short: int
) -> None:
    def there() -> Engine:
        engine = but(built, EDGE)
        engine.containerd = containerd
        return engine

    (pushed,) = run_push(monkeypatch, builder(built, EDGE), there())
    free = int(factor * pushed.sent_bytes) - short
    space = Space(0, 1 << 40, ("/var/lib/containerd", free)) if apart else Space(0, free)
    host = there()
    connected(monkeypatch, builder(built, EDGE), host, space)
    if not short:
        push_images.push(Played())
        return
    with pytest.raises(OperationError, match="ssh://host: too little disk") as caught:
        push_images.push(Played())
    assert caught.value.exit_code == EXIT_USAGE
    assert "docker image prune" in caught.value.fix
    assert ("/var/lib/containerd" in caught.value.message) is apart
    assert host.taken == []


def test_an_empty_host_is_sent_everything(built: dict[str, Image], monkeypatch: pytest.MonkeyPatch) -> None:
    there = but(built, *REFERENCES)
    (pushed,) = run_push(monkeypatch, builder(built), there)
    (taken,) = there.taken
    assert layers_in(taken) == {BASE, *(own for _, own in LAYERS.values())}
    assert (pushed.sent_bytes, pushed.left_out_bytes) == (len(taken), 0)


def test_it_says_what_is_sent_and_what_is_there(built: dict[str, Image], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_images, "_MEGABYTE", 1000)
    told: list[str] = []
    connected(monkeypatch, builder(built, EDGE), but(built, EDGE))
    push_images.push(Played(report=lambda _, text: told.append(text)))
    assert told[:2] == [
        "reading what the images here consist of",
        f"ssh://host: 1 of {len(built)} images, 12 MB to send, 41 MB are there",
    ]
    assert re.fullmatch(r"ssh://host: arrived, compared by id: 12 MB in \d s, 41 MB were there already", told[-1])


def test_hosts_that_lack_the_same_are_surveyed_once(built: dict[str, Image], monkeypatch: pytest.MonkeyPatch) -> None:
    here, engines = builder(built, EDGE), [but(built, EDGE), but(built, EDGE)]
    connected(monkeypatch, here, engines[0])
    hosts = [ImageHost(f"ssh://{number}", each, "amd64") for number, each in enumerate(engines)]  # type: ignore[arg-type]
    monkeypatch.setattr(push_images, "image_hosts", lambda _: hosts)
    assert [each.images for each in push_images.push(Played())] == [[EDGE], [EDGE]]
    assert here.saved == 3


def test_a_layer_that_was_removed_since_is_sent_once_more(
    built: dict[str, Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = but(built, EDGE)
    there.says = [APIError("load", explanation="open layer.tar: no such file or directory")]
    told: list[str] = []
    connected(monkeypatch, builder(built, EDGE), there)
    (pushed,) = push_images.push(Played(report=lambda _, text: told.append(text)))
    assert [layers_in(each) for each in there.taken] == [{LAYERS[EDGE][1]}, set(LAYERS[EDGE])]
    assert (pushed.sent_bytes, pushed.left_out_bytes) == (sum(map(len, there.taken)), 0)
    assert "ssh://host: not whole without them (docker | open layer.tar: no such file or directory): now all" in told[2]


def test_an_image_store_with_layers_in_another_form_is_sent_all(
    built: dict[str, Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = but(built, EDGE)
    there.containerd, there.api.api_version = True, "1.48"
    there.arrives *= 2
    load = there.api.load_image

    def becomes_whole_with_all_layers(stream: Any) -> Any:
        there.incomplete = {built[EDGE].id} if not there.taken else set()
        return load(stream)

    there.api.load_image = becomes_whole_with_all_layers
    run_push(monkeypatch, builder(built, EDGE), there)
    assert [layers_in(each) for each in there.taken] == [{LAYERS[EDGE][1]}, set(LAYERS[EDGE])]


def test_a_store_that_cannot_say_what_it_lacks_is_sent_all(
    built: dict[str, Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = but(built, EDGE)
    there.containerd, there.api.api_version = True, "1.47"
    run_push(monkeypatch, builder(built, EDGE), there)
    assert [layers_in(each) for each in there.taken] == [set(LAYERS[EDGE])]


def test_nothing_is_sent_where_everything_is(built: dict[str, Image], monkeypatch: pytest.MonkeyPatch) -> None:
    there = Engine(dict(built))
    (pushed,) = run_push(monkeypatch, builder(built), there)
    assert (pushed.images, there.taken) == ([], [])


def test_an_image_that_is_not_built_is_refused(built: dict[str, Image], monkeypatch: pytest.MonkeyPatch) -> None:
    built.pop(EDGE)
    there = Engine({})
    with pytest.raises(OperationError, match="is not built on this machine") as caught:
        run_push(monkeypatch, builder(built), there)
    assert (caught.value.exit_code, there.taken) == (EXIT_USAGE, [])


def test_another_processor_is_refused(built: dict[str, Image], monkeypatch: pytest.MonkeyPatch) -> None:
    there = Engine({})
    strange = {name: image(architecture="arm64") for name in built}
    with pytest.raises(OperationError, match="is for arm64, and this host is amd64") as caught:
        run_push(monkeypatch, builder(strange), there)
    assert (caught.value.exit_code, there.taken) == (EXIT_USAGE, [])


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ([{"error": "write layer.tar: no space left on device"}], "the disk of this host is full"),
        (APIError("load", explanation="invalid tar header"), "the images were not taken"),
        ([{"stream": "Error unpacking image friday: apply layer error\n"}], "the images were not taken"),
        (IncompleteRead(b""), "connection lost while it unpacked"),
        ([], "arrived as nothing"),
    ],
)
def test_a_transfer_that_fails_is_put_into_words(
    refusal: Any, words: str, built: dict[str, Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Engine({})
    there.says = [refusal]
    with pytest.raises(OperationError, match=words) as caught:
        run_push(monkeypatch, builder(built), there)
    assert caught.value.exit_code == EXIT_FAILED
    assert len(there.taken) == 1
    assert there.api.timeout == 60


@pytest.mark.parametrize(
    ("said", "megabytes"),
    [("write layer.tar: no space left", 25), ("Error unpacking image friday: no space left", 53)],
)
def test_a_full_disk_is_told_with_what_is_needed_and_not_tried_again(
    said: str, megabytes: int, built: dict[str, Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_images, "_MEGABYTE", 1000)
    there = but(built, EDGE)
    there.says = [[{"stream": said}] if said.startswith("Error unpacking") else [{"error": said}]]
    with pytest.raises(OperationError, match="the disk of this host is full") as caught:
        run_push(monkeypatch, builder(built, EDGE), there)
    assert f"free about {megabytes} MB: " in caught.value.fix
    assert len(there.taken) == 1


def test_an_archive_of_this_machine_that_breaks_off_is_told(
    built: dict[str, Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = builder(built), but(built, *REFERENCES)
    here._archive = here._archive[:3000]
    with pytest.raises(OperationError, match="Docker on this machine: the images broke off") as caught:
        run_push(monkeypatch, here, there)
    assert (caught.value.exit_code, there.taken) == (EXIT_FAILED, [])


def test_progress_is_told_while_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 4.0, 6.0, 8.0])
    monkeypatch.setattr(push_images.time, "monotonic", lambda: next(clock))  # type: ignore[attr-defined]
    told: list[str] = []
    progress = push_images._Progress("ssh://host", 10_000_000, lambda _, text: told.append(text))
    assert len(list(progress.counted(iter([b"x" * 2_000_000] * 3)))) == 3
    assert told == ["ssh://host: 4 of 10 MB, 6 s"]


@pytest.mark.parametrize(
    ("size", "shown"), [(0, "0"), (17_408, "0.017"), (7_120_000, "7.1"), (9_990_000, "10"), (130_400_000, "130")]
)
def test_small_sizes_are_not_told_as_nothing(size: int, shown: str) -> None:
    assert push_images._megabytes(size) == shown


@pytest.mark.parametrize(
    ("state", "code", "shown"),
    [
        ("present", 0, "present"),
        ("missing", 1, "missing on ssh://host"),
        ("other", 1, "other on ssh://host"),
        ("another build", 0, "another build on ssh://host"),
    ],
)
def test_the_list_says_where_each_image_is(
    state: str, code: int, shown: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = ImageAvailability("friday-litellm/edge:0123456789ab", ("edge",), True, 90_000_000, {"ssh://host": state})
    Played().everywhere(monkeypatch)
    monkeypatch.setattr(push_images, "availability", lambda _: [found])
    assert main(["images", "list", "t"]) == code
    out = capsys.readouterr().out
    assert "friday-litellm/edge:0123456789ab" in out
    assert shown in out
    assert ("next: ./fridayctl images push t" in out) is (code != 0)


def test_availability_tells_a_missing_image_from_another_one(
    built: dict[str, Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = local_images()
    held = {**built, names["edge"]: image("sha256:x", layers=("x",))}
    held.pop(names["redis"])
    held[names["friday"]] = replace(image("sha256:y", layers=("y",)), build_of=names["friday"])
    connected(monkeypatch, Engine(built), Engine(held))
    found = {each.image: each.hosts["ssh://host"] for each in push_images.availability(Played())}
    assert found[names["edge"]] == "other"
    assert found[names["redis"]] == "missing"
    assert found[names["friday"]] == "another build"
    assert found[names["litellm"]] == "present"


def test_a_colleagues_build_of_the_same_files_stays(
    built: dict[str, Image], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = replace(image("sha256:theirs", layers=("theirs",)), build_of=EDGE)
    there = Engine({**built, EDGE: theirs})
    connected(monkeypatch, builder(built), there)
    told = list[str]()
    (pushed,) = push_images.push(Played(report=lambda _, text: told.append(text)))
    assert pushed.images == []
    assert told == [f"ssh://host: another build of {EDGE} is there, and stays", "ssh://host: every image is there"]
    assert there.taken == []
