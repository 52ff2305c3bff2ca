"""A push sends what is missing, refuses before it sends anything, and puts what a host says into words."""

import pytest
from docker.errors import APIError, ImageLoadError

from cli.main import main
from images.tags import local_images
from ops.commands import push_images
from ops.commands.push_images import ImageAvailability
from ops.errors import EXIT_FAILED, EXIT_USAGE, OperationError
from ops.hosts.docker_host import Image
from ops.hosts.images import ImageHost
from tests.unit.ops.deployed import Played
from tests.unit.ops.engines import Engine, image


def connected(monkeypatch: pytest.MonkeyPatch, here: Engine, there: Engine) -> None:
    """Make this machine's engine and the one host of every stack the given ones."""
    monkeypatch.setattr(push_images, "builder", lambda: here)
    host = ImageHost("ssh://host", there, "amd64")  # type: ignore[arg-type]
    monkeypatch.setattr(push_images, "image_hosts", lambda _: [host])


@pytest.fixture
def built() -> dict[str, Image]:
    return {reference: image(f"sha256:{number}") for number, reference in enumerate(local_images().values())}


def run_push(monkeypatch: pytest.MonkeyPatch, here: Engine, there: Engine) -> list[push_images.Pushed]:
    connected(monkeypatch, here, there)
    return push_images.push(Played())


def test_only_what_is_missing_is_sent(built: dict[str, Image], monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = local_images()["edge"]
    there = Engine({name: each for name, each in built.items() if name != lacking})
    there.arrives = {lacking: built[lacking]}
    (pushed,) = run_push(monkeypatch, Engine(built), there)
    assert pushed.images == [lacking]
    assert there.taken == lacking.encode()
    assert pushed.sent_bytes == len(lacking)
    assert there.api.timeout == 60


def test_nothing_is_sent_where_everything_is(built: dict[str, Image], monkeypatch: pytest.MonkeyPatch) -> None:
    there = Engine(dict(built))
    (pushed,) = run_push(monkeypatch, Engine(built), there)
    assert (pushed.images, there.taken) == ([], b"")


def test_an_image_that_is_not_built_is_refused(built: dict[str, Image], monkeypatch: pytest.MonkeyPatch) -> None:
    built.pop(local_images()["edge"])
    there = Engine({})
    with pytest.raises(OperationError, match="is not built on this machine") as caught:
        run_push(monkeypatch, Engine(built), there)
    assert (caught.value.exit_code, there.taken) == (EXIT_USAGE, b"")


def test_another_processor_is_refused(built: dict[str, Image], monkeypatch: pytest.MonkeyPatch) -> None:
    there = Engine({})
    strange = {name: image(architecture="arm64") for name in built}
    with pytest.raises(OperationError, match="is for arm64, and this host is amd64") as caught:
        run_push(monkeypatch, Engine(strange), there)
    assert (caught.value.exit_code, there.taken) == (EXIT_USAGE, b"")


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (ImageLoadError("write layer.tar: no space left on device"), "the disk of this host is full"),
        (APIError("load", explanation="invalid tar header"), "the images were not taken"),
        (None, "arrived as nothing"),
    ],
)
def test_a_transfer_that_fails_is_put_into_words(
    refusal: Exception | None, words: str, built: dict[str, Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Engine({})
    there.refuses = refusal
    with pytest.raises(OperationError, match=words) as caught:
        run_push(monkeypatch, Engine(built), there)
    assert caught.value.exit_code == EXIT_FAILED


def test_layers_that_images_share_are_counted_once(built: dict[str, Image]) -> None:
    assert push_images._together(Engine(built), list(built)) == 100 + 200 * len(built)  # type: ignore[arg-type]


def test_progress_is_told_while_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 4.0, 6.0, 8.0])
    monkeypatch.setattr(push_images.time, "monotonic", lambda: next(clock))  # type: ignore[attr-defined]
    told: list[str] = []
    progress = push_images._Progress("ssh://host", 10_000_000, lambda _, text: told.append(text))
    assert len(list(progress.counted(iter([b"x" * 2_000_000] * 3)))) == 3
    assert told == ["ssh://host: 4 of about 10 MB, 6 s"]
    assert progress.sent == 6_000_000


@pytest.mark.parametrize(
    ("state", "code", "shown"),
    [("present", 0, "present"), ("missing", 1, "missing on ssh://host"), ("other", 1, "other on ssh://host")],
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
    assert ("next: ./fridayctl images push t" in out) is (state != "present")


def test_availability_tells_a_missing_image_from_another_one(
    built: dict[str, Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = local_images()
    held = {**built, names["edge"]: image("sha256:x", layers=("x",))}
    held.pop(names["redis"])
    connected(monkeypatch, Engine(built), Engine(held))
    found = {each.image: each.hosts["ssh://host"] for each in push_images.availability(Played())}
    assert found[names["edge"]] == "other"
    assert found[names["redis"]] == "missing"
    assert found[names["friday"]] == "present"
