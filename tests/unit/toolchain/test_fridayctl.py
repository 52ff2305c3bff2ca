"""The sh entry: which Python it takes, when it installs, and that a cut-off installation is never taken as good.

Python is a shell script here that records what it is asked to do; the real one is tried by every real start.
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from toolchain import paths

# What a Python must answer: its age, the venv module, pip, and the command line itself.
FAKE_PYTHON = """#!/bin/sh
echo "$*" >>"$LOG"
case "$*" in
    *version_info*3,\\ 11*) exit "${TOO_OLD:-0}" ;;
    *ensurepip*) [ -z "${NO_VENV:-}" ] || [ -f "$NO_VENV" ] ;;
    *python%d*) echo python3.11-venv ;;
    *samefile*) [ -f "${0%/bin/*}/pyvenv.cfg" ] ;;
    *-m\\ venv\\ *) mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; touch "$3/pyvenv.cfg" ;;
    *-m\\ pip*install*) [ -z "${PIP_STARTED:-}" ] || { touch "$PIP_STARTED"; sleep 30; }; exit "${PIP_EXIT:-0}" ;;
    *-m\\ cli*) shift 3; printf 'cli:%s|' "$@"; printf '%s' "$PYTHONPATH" ;;
esac
"""


class Checkout:
    """A copy of what fridayctl needs, with a fake Python."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "check out"
        self.log = folder / "log"
        self.log.touch()
        (self.root / "requirements").mkdir(parents=True)
        shutil.copy(paths.ROOT / "fridayctl", self.root)
        for name in ("runtime", "dev"):
            (self.root / "requirements" / f"{name}.txt").write_text(f"{name}\n", encoding="utf-8")
        self.python = folder / "python3"
        self.python.write_text(FAKE_PYTHON, encoding="utf-8")
        self.python.chmod(0o755)
        self.stamp = self.root / ".venv" / ".friday-stamp"
        # Without the PYTHONPATH of the fridayctl that runs these tests.
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self.environment = {**inherited, "LOG": str(self.log), "FRIDAY_PYTHON": str(self.python)}

    def run(self, *arguments: str, cwd: str = "/", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.root / "fridayctl"), *arguments],
            capture_output=True,
            text=True,
            cwd=cwd,
            check=False,
            timeout=60,
            env={**self.environment, **environment},
        )

    def installs(self) -> list[str]:
        """Return the lock of every pip run so far."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [Path(line.rsplit("-r ", 1)[1]).stem for line in lines if "-m pip" in line]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_installs_once_and_passes_the_arguments_on(checkout: Checkout) -> None:
    first = checkout.run("up", "a b", "--yes")
    assert first.returncode == 0, first.stderr
    assert first.stdout == f"cli:up|cli:a b|cli:--yes|{checkout.root}"
    assert "there is no .venv yet" in first.stderr
    second = checkout.run("status")
    assert second.stdout.startswith("cli:status|")
    assert second.stderr == ""
    assert checkout.installs() == ["runtime"]
    assert "--require-hashes" in checkout.log.read_text(encoding="utf-8")


def test_works_through_a_link_and_keeps_a_python_path(checkout: Checkout, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(checkout.root / "fridayctl")
    checkout.run("x")
    shown = subprocess.run(
        [str(link), "x"],
        capture_output=True,
        text=True,
        check=True,
        env={**checkout.environment, "PYTHONPATH": "/mine"},
    )
    assert shown.stdout == f"cli:x|{checkout.root}:/mine"


def test_developer_verbs_need_the_wider_lock_and_it_serves_the_rest(checkout: Checkout) -> None:
    for verb in ("status", "test", "status", "lock", "bench", "upgrade"):
        assert checkout.run("--quiet", verb).returncode == 0
    assert checkout.installs() == ["runtime", "dev"]


def test_a_verb_is_not_looked_for_among_its_arguments(checkout: Checkout) -> None:
    checkout.run("up", "test")
    assert checkout.installs() == ["runtime"]


@pytest.mark.parametrize("verb", ["test", "lock", "bench", "upgrade", "up"])
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_installs_nothing_where_anything_is_installed(checkout: Checkout, verb: str, option: str) -> None:
    assert checkout.run(verb, "--all", option).stdout.startswith(f"cli:{verb}|")
    assert checkout.installs() == ["runtime"], "help needs Python packages, and there were none"
    (checkout.root / "requirements" / "runtime.txt").write_text("newer\n", encoding="utf-8")
    shown = checkout.run(verb, option)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert checkout.installs() == ["runtime"]


def test_a_changed_lock_is_installed(checkout: Checkout) -> None:
    checkout.run("status")
    (checkout.root / "requirements" / "runtime.txt").write_text("newer\n", encoding="utf-8")
    assert "the lock or the Python changed" in checkout.run("status").stderr
    assert checkout.installs() == ["runtime", "runtime"]


def test_a_moved_checkout_gets_an_environment_of_its_own(checkout: Checkout) -> None:
    checkout.run("status")
    checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    shown = checkout.run("status")
    assert "was moved" in shown.stderr
    assert shown.stdout.endswith(str(checkout.root))


def test_a_half_made_environment_is_made_anew(checkout: Checkout) -> None:
    """Without pyvenv.cfg its Python is the base one, and pip would write there."""
    (checkout.root / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(checkout.python, checkout.root / ".venv" / "bin" / "python")
    shown = checkout.run("status")
    assert "half-made" in shown.stderr
    assert (checkout.root / ".venv" / "pyvenv.cfg").exists()


def test_a_hand_made_environment_is_completed_in_place(checkout: Checkout) -> None:
    checkout.run("status")
    checkout.stamp.unlink()
    (checkout.root / ".venv" / "mine").touch()
    shown = checkout.run("status")
    assert "no finished installation is recorded" in shown.stderr
    assert (checkout.root / ".venv" / "mine").exists()
    assert checkout.stamp.exists()


def test_a_failed_installation_leaves_no_stamp(checkout: Checkout) -> None:
    failed = checkout.run("status", PIP_EXIT="1")
    assert failed.returncode == 2
    assert "pip could not install requirements/runtime.txt" in failed.stderr
    assert "fix: " in failed.stderr
    assert failed.stdout == ""
    assert not checkout.stamp.exists()
    assert checkout.run("status").returncode == 0


def test_a_killed_installation_leaves_no_stamp(checkout: Checkout, tmp_path: Path) -> None:
    started = tmp_path / "pip-started"
    checkout.run("status")
    (checkout.root / "requirements" / "runtime.txt").write_text("newer\n", encoding="utf-8")
    process = subprocess.Popen(
        [str(checkout.root / "fridayctl"), "status"],
        env={**checkout.environment, "PIP_STARTED": str(started)},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 20
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
    assert started.exists()
    assert not checkout.stamp.exists()
    assert checkout.run("status").returncode == 0
    assert checkout.stamp.exists()


def test_two_at_once_install_once(checkout: Checkout) -> None:
    command = [str(checkout.root / "fridayctl"), "status"]
    both = [subprocess.Popen(command, env=checkout.environment, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert checkout.installs() == ["runtime"]


def test_a_python_that_is_too_old_is_refused(checkout: Checkout, tmp_path: Path) -> None:
    named = checkout.run("status", TOO_OLD="1")
    assert named.returncode == 2
    assert "is not a Python 3.11 or newer" in named.stderr
    folder = tmp_path / "old"
    folder.mkdir()
    python = folder / "python3"
    python.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2"\nexit 1\n', encoding="utf-8")
    python.chmod(0o755)
    for tool in ("cat", "cksum", "tr", "readlink", "head", "flock", "id", "rm", "mkdir", "sed"):
        real = shutil.which(tool)
        if real:
            (folder / tool).symlink_to(real)
    found = checkout.run("status", FRIDAY_PYTHON="", PATH=str(folder))
    assert found.returncode == 2
    assert "Python 3.11 or newer is needed, found: Python 3.9.2" in found.stderr
    assert "fix: install it" in found.stderr
    assert "Ubuntu 22.04: apt-get install python3.11 python3.11-venv" in found.stderr
    assert not (checkout.root / ".venv").exists()


@pytest.mark.parametrize("user", ["0", "1000"])
def test_debian_without_the_venv_module(checkout: Checkout, tmp_path: Path, user: str) -> None:
    """Root gets the package from apt, with fresh lists when the first try fails; others get the command to type."""
    installed, updated, folder = tmp_path / "installed", tmp_path / "updated", tmp_path / "debian"
    folder.mkdir()
    apt = f'case "$*" in *update*) touch {updated} ;; *python3.11-venv) [ -f {updated} ] && touch {installed} ;; esac'
    for name, script in (("id", f"echo {user}"), ("apt-get", apt)):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    shown = checkout.run("status", NO_VENV=str(installed), PATH=f"{folder}:{os.environ['PATH']}")
    if user == "0":
        assert shown.returncode == 0, shown.stderr
        assert "installing python3.11-venv with apt-get" in shown.stderr
        assert checkout.stamp.exists()
    else:
        assert shown.returncode == 2
        assert "fix: sudo apt-get install python3.11-venv" in shown.stderr
        assert not (checkout.root / ".venv").exists()
