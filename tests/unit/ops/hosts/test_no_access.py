"""What an image says when its user may not write where it wants to."""

import pytest

from ops.hosts.no_access import fix_of, said_by


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("Error: EACCES: permission denied, mkdir '/logs'", "/logs"),  # Node 22
        ("Error: EROFS: read-only file system, open '/srv/app/x.log'", "/srv/app/x.log"),
        ("PermissionError: [Errno 13] Permission denied: '/reports'", "/reports"),  # Python
        ("OSError: [Errno 30] Read-only file system: '/data/a'", "/data/a"),
        ("mkdir: cannot create directory \u2018/logs\u2019: Permission denied", "/logs"),
        ("mkdir: can't create directory '/logs': Permission denied", "/logs"),  # busybox
        ("open /var/lib/app/db: permission denied", "/var/lib/app/db"),  # Go
    ],
)
def test_the_path_and_the_settings_are_named(line: str, path: str) -> None:
    fix = fix_of(["starting", f"  log   | {line}"], "./fridayctl up t")
    assert f"may not write {path}: " in fix
    assert "friday.writable" in fix
    assert "friday.user" in fix
    assert fix.endswith("then ./fridayctl up t")


@pytest.mark.parametrize(
    "line",
    [
        "Error: listen EACCES: permission denied 0.0.0.0:80",
        'exec "/entry.sh": permission denied',
        "Error: spawn /usr/bin/tool EACCES",
        "FATAL: permission denied for table users",
        "403 permission denied at https://api.example/v1/x",
        "Cannot find module '/app/dist/nowhere.js'",
    ],
)
def test_other_refusals_are_nothing_that_a_folder_helps(line: str) -> None:
    assert fix_of([line], "x") == ""


def test_only_the_lines_of_the_named_containers_are_read() -> None:
    words = """the plugin: failed
friday-t-friday-1: exited, exit code 1
  log   | a
friday-t-redis-1: exited, exit code 1
  log   | b
friday-t-worker-1-2: it has ended
  log   | c"""
    assert [each.strip() for each in said_by(words, ["friday-t-friday-", "friday-t-worker-"])] == [
        "log   | a",
        "log   | c",
    ]
    assert not list(said_by("", ["x"]))
