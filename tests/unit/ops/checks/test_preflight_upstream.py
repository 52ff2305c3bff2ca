"""What preflight makes of OpenRouter's catalogue and keys, and whom it asks."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from components.settings.stack import StackSettings
from images.tags import local_images
from ops.checks.preflight import judge_upstream, upstream
from ops.checks.preflight.facts import Facts
from ops.checks.preflight.judge_upstream import RETIRING_DAYS, price_problem
from ops.checks.preflight.upstream import NOT_ASKED, Upstream, learn
from ops.checks.report import Check, State
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts import docker_host
from ops.hosts.docker_host import DockerHost
from ops.metrics.openrouter import KeyUsage, Listed, RefusedError
from ops.metrics.server import SilentError
from ops.stacks import stack_secrets
from tests.unit.given import settings
from tests.unit.ops import deployed

NOW = dt.datetime(2026, 11, 24, 23, tzinfo=dt.UTC)
REAL = settings(upstream="openrouter")
FREE = {"prompt": "0", "completion": "0", "request": "0"}
MODELS = {model.id: Listed(id=model.id, pricing=FREE) for model in REAL.models}
ONE = "google/gemma-4-31b-it:free"
DIRECT = "google/gemma-4-26b-a4b-it:free"
DAY = dt.timedelta(days=1)


def catalogue(changed: dict[str, Any] | None = None, *, gone: str = "", **chosen: Any) -> list[Check]:
    models = {**MODELS, **{name: Listed(id=name, **fields) for name, fields in (changed or {}).items()}}
    models.pop(gone, None)
    return list(judge_upstream.catalogue(given(Upstream(NOW, models), **chosen)))


def given(learned: Upstream, **chosen: Any) -> Facts:
    return Facts("t", settings(**{"upstream": "openrouter", **chosen}), [], {}, learned)


def about_key(usage: KeyUsage | SilentError, **chosen: Any) -> list[Check]:
    return list(judge_upstream.key(given(Upstream(NOW, {}, {"openrouterApiKey": usage}), **chosen)))


@pytest.mark.parametrize(
    ("pricing", "problem"),
    [
        (FREE, ""),
        ({"prompt": "0.0", "completion": "0e-9", "input_cache_read": "-0"}, ""),
        ({**FREE, "discount": 0.5}, ""),
        ({**FREE, "completion": "0.0000004"}, "it costs money (completion '0.0000004')"),
        ({**FREE, "request": "1e-9"}, "it costs money (request '1e-9')"),
        ({**FREE, "web_search": 0.004, "image": "?"}, "it costs money (web_search 0.004, image '?')"),
        ({**FREE, "a_new_kind": "0.1"}, "it costs money (a_new_kind '0.1')"),
        ({**FREE, "prompt": "-1"}, "it cannot be shown to be free (prompt '-1')"),
        ({**FREE, "image": ""}, "it cannot be shown to be free (image '')"),
        ({**FREE, "image": None}, "it cannot be shown to be free (image None)"),
        ({**FREE, "image": "NaN"}, "it cannot be shown to be free (image 'NaN')"),
        ({**FREE, "image": False}, "it cannot be shown to be free (image False)"),
        ({**FREE, "overrides": [{"prompt": "0"}]}, "it cannot be shown to be free (overrides [{'prompt': '0'}])"),
        ({"completion": "0"}, "its price for prompt is missing"),
        ({}, "its price for prompt and completion is missing"),
        (None, "its prices are missing"),
        ("0", "its prices are missing"),
    ],
)
def test_a_model_is_free_when_every_single_price_is_0(pricing: object, problem: str) -> None:
    assert price_problem(pricing) == problem


def test_models_that_are_there_and_free_are_one_check() -> None:
    assert catalogue() == [Check("catalogue", "", State.OK, "5 models listed, every price of them is 0")]


@pytest.mark.parametrize(
    ("changed", "gone", "found"),
    [
        ({}, ONE, f"{ONE} (models: gemma-4-31b) is not in OpenRouter's catalogue: retired, or never there"),
        ({ONE: {"pricing": {**FREE, "image": "1"}}}, "", f"{ONE} (models: gemma-4-31b): it costs money (image '1')"),
        (
            {DIRECT: {}},
            "",
            f"{DIRECT} (models: gemma-4-26b, friday.directModel): its prices are missing",
        ),
    ],
)
def test_a_model_that_is_gone_or_not_free_fails_alone_with_others_to_take(
    changed: dict[str, Any], gone: str, found: str
) -> None:
    listed = {"new/one:free": {"pricing": FREE}, "new/paid:free": {"pricing": {}}, "new/paid": {"pricing": FREE}}
    (check,) = catalogue({**changed, **listed}, gone=gone)
    assert (check.state, check.found) == (State.FAILED, found)
    assert check.fix.startswith("replace it in models of Pulumi.t.yaml; listed as free: new/one:free")
    assert "new/paid" not in check.fix
    assert ("friday.directModel ID -s t" in check.fix) == (DIRECT in found)


def test_the_direct_paths_model_counts_where_no_gateway_uses_it() -> None:
    (check,) = catalogue(friday={"directModel": "vendor/other:free"})
    assert check.found.startswith("vendor/other:free (friday.directModel) is not in OpenRouter's catalogue")
    assert check.fix == "pulumi config set --path friday.directModel ID -s t"


@pytest.mark.parametrize(
    ("told", "state", "words"),
    [
        ((NOW - DAY).date().isoformat(), State.FAILED, "is retired since 2026-11-23"),
        (NOW.date().isoformat(), State.WARNING, "retires on 2026-11-24, in 0 days"),
        (f"{NOW + 3 * DAY:%Y-%m-%dT%H:%M:%SZ}", State.WARNING, "retires on 2026-11-27, in 3 days"),
        ((NOW + RETIRING_DAYS * DAY).date().isoformat(), State.WARNING, f"in {RETIRING_DAYS} days"),
        ((NOW + (RETIRING_DAYS + 1) * DAY).date().isoformat(), State.OK, "every price"),
        ("soon", State.WARNING, "it is not clear when ('soon')"),
        (1764000000, State.WARNING, "it is not clear when (1764000000)"),
        (None, State.OK, "every price"),
    ],
)
def test_a_model_about_to_be_retired_warns_and_a_retired_one_fails(told: Any, state: State, words: str) -> None:
    (check,) = catalogue({ONE: {"pricing": FREE, "expiration_date": told}})
    assert check.state is state
    assert words in check.found


@pytest.mark.parametrize(
    ("fields", "state", "words"),
    [
        ({}, State.OK, "openrouterApiKey: valid, $0 booked"),
        ({"free_model_daily_requests": {"limit": 1000, "remaining": 990}}, State.OK, "990 free requests left today"),
        ({"is_free_tier": False}, State.OK, "valid"),
        ({"usage": 0.000001}, State.FAILED, "has booked $1e-06 on it"),
        ({"usage": 0, "byok_usage": 2}, State.FAILED, "has booked $2 on it"),
        ({"usage": -1}, State.FAILED, "has booked $-1 on it"),
        ({"is_free_tier": True}, State.WARNING, "may do 50 free requests a day, and quota.requestsPerDay says 1,000"),
        ({"free_model_daily_requests": {"limit": 50}}, State.WARNING, "may do 50 free requests a day"),
        ({"free_model_daily_requests": {"limit": 1000, "remaining": 50}}, State.OK, "50 free requests left today"),
        ({"free_model_daily_requests": {"limit": 1000, "remaining": 20}}, State.WARNING, "they end about 23:28 UTC"),
        ({"free_model_daily_requests": {"limit": 1000, "remaining": 0}}, State.WARNING, "no free request is left"),
        ({"expires_at": NOW}, State.FAILED, "expired at 2026-11-24 23:00 UTC"),
        ({"expires_at": "2026-11-24T22:59:00"}, State.FAILED, "expired at 2026-11-24 22:59 UTC"),
        ({"expires_at": NOW + 13 * DAY}, State.WARNING, "expires at 2026-12-07 23:00 UTC"),
        ({"expires_at": NOW + 15 * DAY}, State.OK, "valid"),
    ],
)
def test_a_key_is_valid_costs_nothing_and_grants_what_the_settings_say(
    fields: dict[str, Any], state: State, words: str
) -> None:
    (check,) = about_key(KeyUsage.model_validate({"usage": 0, **fields}))
    assert check.state is state
    assert words in check.found
    assert bool(check.fix) == (state is not State.OK)


def test_a_key_that_is_not_let_in_fails_but_the_simulator_may_not_know_it_yet() -> None:
    refused = RefusedError("answers 401")
    (real,), (simulated,) = about_key(refused), about_key(refused, upstream="simulator")
    assert (real.state, simulated.state) == (State.FAILED, State.SKIPPED)
    assert "pulumi config set --secret openrouterApiKey -s t" in real.fix


def test_an_upstream_that_does_not_answer_fails_and_a_simulator_that_does_not_is_the_updates_to_fix() -> None:
    silent = Upstream(NOW, SilentError("no answer"), {"openrouterApiKey": SilentError("no answer")})
    for judge in (judge_upstream.catalogue, judge_upstream.key):
        (real,) = judge(given(silent))
        assert (real.state, real.found) == (State.FAILED, "no answer")
        assert "./fridayctl up t --offline" in real.fix
        assert [check.state for check in judge(given(silent, upstream="simulator"))] == [State.SKIPPED]


def test_who_was_not_asked_is_left_out() -> None:
    for learned, words in ((NOT_ASKED, "was not asked"), (Upstream(NOW, absent="not up yet"), "not up yet")):
        for judge in (judge_upstream.catalogue, judge_upstream.key):
            (check,) = judge(given(learned))
            assert check.state is State.SKIPPED
            assert words in check.found


def test_keys_that_cannot_be_decrypted_fail_with_the_mend() -> None:
    learned = Upstream(NOW, {}, OperationError("the passphrase is wrong", "set it"))
    (check,) = judge_upstream.key(given(learned))
    assert (check.state, check.fix) == (State.FAILED, "set it")
    assert "the passphrase is wrong" in check.found


class Played:
    """OpenRouter, the secrets and the hosts, played; `asked` notes the requests."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.containers: list[dict[str, Any]] = []
        self.refuse = False
        self.lost = False
        self.reveal_fails = False
        monkeypatch.setattr(upstream, "catalogue", self.catalogue)
        monkeypatch.setattr(upstream, "key_usage", self.key_usage)
        monkeypatch.setattr(stack_secrets, "reveal", self.reveal)
        client: Any = SimpleNamespace(api=SimpleNamespace(containers=self.listed))
        self.hosts = [DockerHost(client)]
        monkeypatch.setattr(docker_host, "find", lambda _, reference: SimpleNamespace(id=f"sha256:{reference}"))

    def __call__(self, chosen: StackSettings, *workloads: Any) -> Upstream:
        return learn(deployed.Played(lambda: chosen), workloads, lambda: self.hosts)

    def listed(self, **_: Any) -> list[dict[str, Any]]:
        if self.lost:
            raise OperationError("connection lost", "look")
        return self.containers

    def catalogue(self, url: str, _: Any) -> dict[str, Listed]:
        self.asked.append(url)
        if self.refuse:
            raise SilentError("it is away")
        return MODELS

    def key_usage(self, url: str, key: str, _: Any) -> KeyUsage:
        if self.refuse:
            raise RefusedError("401")
        return KeyUsage(usage=len(key))

    def reveal(self, _: str, chosen: Any) -> Any:
        if self.reveal_fails:
            raise OperationError("the passphrase is wrong", "set it", EXIT_USAGE)
        return chosen

    def runs(self, image: str, part: str = "simulator") -> None:
        labels = {"friday-litellm.part": part}
        self.containers.append({"ImageID": f"sha256:{image}", "Labels": labels})


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    return Played(monkeypatch)


def test_the_catalogue_and_every_key_are_asked(played: Played) -> None:
    found = played(REAL)
    assert played.asked == ["https://openrouter.ai/api/v1"]
    assert found.models == MODELS
    assert isinstance(found.keys, dict)
    assert list(found.keys) == ["openrouterApiKey", "fridayOpenrouterApiKey"]


def test_what_is_not_answered_is_told_in_its_place(played: Played) -> None:
    played.refuse = True
    found = played(REAL)
    assert isinstance(found.models, SilentError)
    assert isinstance(found.keys, dict)
    assert str(found.models) == "it is away"
    assert {(type(each), str(each)) for each in found.keys.values()} == {(RefusedError, "401")}
    played.reveal_fails = True
    unknown = played(REAL).keys
    assert isinstance(unknown, OperationError)
    assert (unknown.message, unknown.fix) == ("the passphrase is wrong", "set it")


@pytest.mark.parametrize(
    ("running", "absent"),
    [
        ([], "not up yet"),
        ([("of the edge", "edge")], "not up yet"),
        ([("older", "simulator")], "of another image"),
        ([("declared", "simulator")], ""),
    ],
)
def test_a_simulator_is_asked_when_it_is_the_one_of_this_update(
    running: list[tuple[str, str]], absent: str, played: Played
) -> None:
    declared = local_images()["simulator"]
    for image, part in running:
        played.runs(declared if image == "declared" else image, part)
    workload: Any = SimpleNamespace(part="simulator", image=declared)
    chosen = settings()
    found = played(chosen, workload)
    assert absent in found.absent
    assert bool(found.absent) == bool(absent)
    assert played.asked == ([] if absent else [f"http://127.0.0.1:{chosen.simulator.port}/api/v1"])


def test_a_host_that_is_lost_has_no_simulator(played: Played) -> None:
    played.runs(local_images()["simulator"])
    played.lost = True
    assert played(settings()).absent
    assert played.asked == []
