"""Which versions are served: what pip and Go say is read, and what they do not say is an error with a fix."""

import pytest

from tests.unit.toolchain.conftest import Stub
from toolchain import served
from toolchain.errors import SetupError

PIP = """
[ "$7" = thing ] || exit 1
echo "thing (1.10.0)"
echo "Available versions: 1.10.0, 1.9.2, 1.9.2rc1, 1.9"
"""
GO = """
case "$1 $4" in
    "version "*) echo "go version go1.99.1 linux/amd64" ;;
    "list one") echo "one v1.9.0 v1.10.0 v1.11.0-alpha" ;;
    "list beta") echo "beta v2.0.0-beta.9 v2.0.0-rc.1 v2.0.0-0.20260101000000-abc v2.0.0 v2.0.0-beta.24 v1.9.0" ;;
    "list two") echo "two v1.10.0 v1.9.0 v1.12.0" ;;
    *) exit 1 ;;
esac
"""


def test_pip_names_the_releases_of_a_package(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(stub("python", PIP)))
    assert served.python_package("thing") == ["1.10.0", "1.9.2", "1.9"]
    with pytest.raises(SetupError, match="which versions of other are served") as refused:
        served.python_package("other")
    assert "pip index versions other" in refused.value.fix


def test_go_names_what_all_modules_have(stub: Stub) -> None:
    stub("go", GO)
    assert served.go_modules(("one", "two"), lambda _: None) == ["1.10.0", "1.9.0"]
    with pytest.raises(SetupError, match="which versions of three are served"):
        served.go_modules(("one", "three"), lambda _: None)


def test_pre_releases_count_where_they_are_wanted_before_their_release(stub: Stub) -> None:
    stub("go", GO)
    assert served.go_modules(("beta",), lambda _: None) == ["2.0.0", "1.9.0"]
    found = served.go_modules(("beta",), lambda _: None, pre_releases=True)
    assert found == ["2.0.0", "2.0.0-rc.1", "2.0.0-beta.24", "2.0.0-beta.9", "1.9.0"]
