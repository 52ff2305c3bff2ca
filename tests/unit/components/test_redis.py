"""Redis as a cache: bounded, without disk, behind a password."""

import pytest
from pydantic import ValidationError

from components import parts
from tests.unit.declared import IMAGES
from tests.unit.given import SECRETS, settings


def directives(memory_mb: int) -> dict[str, str]:
    workloads = {each.part: each for each in parts.declare("t", settings(redis={"memoryMb": memory_mb}), IMAGES)}
    file = workloads["redis"].files["redis.conf"]
    assert file.secret
    lines = [line.split(" ", 1) for line in file.content.splitlines() if not line.startswith("rename-command")]
    return {name: value for name, value in lines}


def test_it_is_a_bounded_cache_without_disk() -> None:
    found = directives(128)
    assert found["requirepass"] == SECRETS["redisPassword"]
    assert found["maxmemory"] == "64mb"
    assert found["maxmemory-policy"] == "allkeys-lru"
    assert found["save"] == '""'
    assert found["appendonly"] == "no"


@pytest.mark.parametrize(
    "password", ["", "short", "with space in the middle", 'quote"quote"quote"', "line\nappendonly yes1"]
)
def test_a_password_that_changes_the_file_is_refused(password: str) -> None:
    with pytest.raises(ValidationError, match="redisPassword"):
        settings(redisPassword=password)


@pytest.mark.parametrize("megabytes", [0, -1, 31])
def test_memory_in_which_redis_would_evict_what_it_has_just_stored_is_refused(megabytes: int) -> None:
    with pytest.raises(ValidationError, match=r"redis\.memoryMb"):
        settings(redis={"memoryMb": megabytes})
    assert int(directives(32)["maxmemory"].removesuffix("mb")) >= 8
