"""Which tests are near a change."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import affected

IMPORTERS = {"engine": {"service", "test_engine"}, "service": {"view"}, "view": {"urls"}, "urls": {"engine"}}


def test_distances_are_the_fewest_imports_and_end() -> None:
    steps = affected.nearest(["engine"], lambda module: IMPORTERS.get(module, set()))
    assert steps == {"engine": 0, "service": 1, "test_engine": 1, "view": 2}


def test_a_test_is_as_near_as_what_it_imports_or_its_folder_mirrors() -> None:
    steps = {"iam/moments.py": 0, "console/audit/views.py": 1, "tests/iam/test_moments.py": 1}
    tests = [
        "tests/iam/test_moments.py",
        "tests/iam/test_nudge.py",
        "tests/console/audit/test_list.py",
        "tests/console/mfa/test_fleet.py",
    ]
    assert affected.rank(steps, tests) == dict.fromkeys(tests[:2], 1) | {tests[2]: 2}


def test_what_imports_a_module_runs_before_what_is_farther() -> None:
    files = affected.affected(["iam/moments.py"])
    assert files.index("tests/iam/test_nudge.py") < files.index("tests/iam/sealed/test_sealed.py")
    assert set(affected.ALWAYS) <= set(files)
    assert [name for name in files if name.startswith(affected.NOT_HERE)] == []


def test_a_changed_test_runs_first_even_a_journey() -> None:
    changed = ["tests/journeys/test_team_change.py", "tests/iam/journal/test_chain.py"]
    assert sorted(affected.affected(changed)[:2]) == sorted(changed)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("templates/rotation/_plan.html", "tests/console/rotation/"),
        ("static/js/tabs.js", "tests/console/web/script/"),
        ("iam/policy/index/holders.py", "tests/iam/policy/index/"),
    ],
)
def test_a_file_of_any_kind_leads_to_the_tests_of_its_package(name: str, folder: str) -> None:
    assert Path(name).exists()
    assert any(test.startswith(folder) for test in affected.affected([name]))


def test_only_what_was_changed_is_linted() -> None:
    assert affected.lint_commands(["docs/operate.md"]) == []
    words = [word for command in affected.lint_commands(["templates/base.html"]) for word in command]
    assert "templates/base.html" in words
    assert "mypy" not in words
    assert "mypy" in [
        word for lint_command in affected.lint_commands(["iam/moments.py"]) for word in lint_command
    ]


def test_a_linter_that_complains_fails_the_check_and_is_heard(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    says = "import sys; print('line', sys.argv[1]); sys.exit(int(sys.argv[1]))"
    monkeypatch.setattr(affected, "changed_files", lambda revision: ["docs/operate.md"])
    monkeypatch.setattr(
        affected, "lint_commands", lambda changed: [[sys.executable, "-c", says, code] for code in ("0", "3")]
    )
    monkeypatch.setattr(affected, "affected", lambda changed: ["--version"])
    assert affected.main() == 3
    assert capfd.readouterr().out.startswith("line 0\nline 3\n")
