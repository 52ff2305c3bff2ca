"""The Docker plugin's own tests, which are in Go and play engines of several versions.

Not beside the toolchain's other tests, whose user has an empty home: what set-up compiled is used again here.
"""

import pytest

from toolchain import go, plugin_sources, process, versions
from toolchain.paths import GO_SOURCES

SHIM = "github.com/terraform-providers/terraform-provider-docker/shim"


@pytest.mark.timeout(900)  # minutes where nothing of it was compiled before
@pytest.mark.skipif(go.found() is None, reason="no Go here: the plugin is not built on this machine")
def test_the_plugin_passes_its_own_tests() -> None:
    found = go.found()
    assert found
    # vet would read every package that the plugin is made of; the compiler reads ours.
    plugin = plugin_sources.command(lambda _: None)
    process.run(
        [found[0], "test", "-vet=off", *plugin.flags, plugin.package, SHIM],
        f"testing the Docker plugin and {SHIM}",
        "see Go's lines",
        env=go.ENV,
        cwd=plugin.folder,
    )


@pytest.mark.skipif(go.found() is None, reason="no Go here: the plugin is not built on this machine")
def test_nothing_of_kubernetes_is_built() -> None:
    found = go.found()
    assert found
    plugin = plugin_sources.command(lambda _: None)
    go.fetch(plugin, lambda _: None)
    packages = process.read([found[0], "list", "-deps", *plugin.flags, plugin.package], go.ENV, plugin.folder)
    assert packages
    assert "github.com/docker/buildx/driver/docker-container" in packages.split()
    assert [name for name in packages.split() if "k8s.io" in name] == []


def test_the_api_that_the_plugin_speaks_is_the_one_that_engines_are_compared_with() -> None:
    spoken = ".".join(map(str, versions.DOCKER_API_SPOKEN))
    assert f'newestAPI = "{spoken}"' in (GO_SOURCES / "docker-provider" / "shim" / "engines_test.go").read_text()
