"""PULUMI_HOME is made so that Pulumi keeps no log in it."""

import pytest

from toolchain import paths
from toolchain.errors import SetupError
from toolchain.pulumi_home import PulumiHome


def make() -> None:
    PulumiHome().run(lambda line: None)


def test_no_log_folder_can_be_made_there() -> None:
    assert not PulumiHome().is_done()
    make()
    assert PulumiHome().is_done()
    with pytest.raises(FileExistsError):
        (paths.pulumi_home() / "logs").mkdir()
    make()
    assert PulumiHome().is_done()


def test_the_logs_of_earlier_commands_go_and_the_plugin_stays() -> None:
    logs, plugin = paths.pulumi_home() / "logs", paths.pulumi_home() / "plugins" / "docker"
    for file in (logs / "pulumi-1.log", plugin):
        file.parent.mkdir(parents=True)
        file.touch()
    assert not PulumiHome().is_done()
    make()
    assert PulumiHome().is_done()
    assert plugin.exists()


def test_a_home_that_cannot_be_made_is_named() -> None:
    paths.user_cache().parent.mkdir(parents=True)
    paths.user_cache().touch()
    with pytest.raises(SetupError) as refused:
        make()
    assert str(paths.user_cache()) in str(refused.value)
