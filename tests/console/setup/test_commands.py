"""`manage.py connect`, `doctor` and `import_account`: messages and exit codes, against the stand-in."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from iam.journal.models import Entry
from iam.mirror.models import Account, DoctorRun, Pull
from tests import factories
from tests.iam.mirror.accounts import exports
from tests.iam.mirror.accounts.aws import HUB, ID_OF_SPOKES, SANDBOX, Cloud, arn_of

pytestmark = pytest.mark.django_db


def run(*args: str) -> tuple[int, str]:
    """(exit code, what was printed) of a command."""
    out = StringIO()
    try:
        call_command(*args, stdout=out, stderr=out)
    except CommandError as error:
        return error.returncode, out.getvalue() + str(error)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


ROLE = ("connect", SANDBOX, "--role", arn_of(SANDBOX), "--external-id", ID_OF_SPOKES, "--name", "sandbox")


def test_an_account_is_connected_by_its_role_and_checked(cloud: Cloud) -> None:
    code, output = run(*ROLE)
    assert code == 0
    assert f"sandbox {SANDBOX} is connected by role, external id." in output
    assert "No permission is missing." in output
    assert f"manage.py pull {SANDBOX}" in output
    assert Entry.objects.get(kind="account.connect").actor_label == "Command line"


def test_what_is_missing_is_exit_code_1(cloud: Cloud) -> None:
    cloud.deny("iam:ListSSHPublicKeys")
    code, output = run(*ROLE)
    assert code == 1
    assert '"iam:ListSSHPublicKeys"' in output
    assert Account.objects.count() == 1


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("connect", "12", "--role", arn_of(SANDBOX)), "12 digits"),
        (("connect", SANDBOX, "--role", arn_of(HUB), "--external-id", "x-1"), f"belongs to account {HUB}"),
        (("connect", SANDBOX, "--role", "x"), "isn’t a role ARN"),
        (("connect", SANDBOX, "--from-environment"), f"belong to account {HUB}, not to {SANDBOX}"),
        (("connect", SANDBOX, "--discover", "r"), f"managed by {HUB}, not by {SANDBOX}"),
        (("connect", HUB, "--discover", "a/b"), "A role name has"),
    ],
)
def test_what_cannot_be_connected_is_exit_code_2(cloud: Cloud, args: tuple[str, ...], words: str) -> None:
    code, output = run(*args)
    assert code == 2
    assert words in output
    assert not Account.objects.exists()


def test_an_account_is_not_connected_twice(cloud: Cloud) -> None:
    run(*ROLE)
    assert run(*ROLE)[0] == 2


def test_the_environments_account_is_connected(cloud: Cloud) -> None:
    code, output = run("connect", HUB, "--from-environment", "--name", "hub")
    assert code == 0, output
    assert Account.objects.get().source == "environment"


def test_an_organization_is_connected_by_one_role_name(cloud: Cloud) -> None:
    code, output = run("connect", HUB, "--discover", "gatehouse-reader", "--external-id", ID_OF_SPOKES)
    assert code == 0
    assert "5 of 5 accounts" in output
    assert Account.objects.count() == 5
    code, output = run("connect", HUB, "--discover", "gatehouse-reader", "--external-id", ID_OF_SPOKES)
    assert (code, "0 of 5 accounts" in output) == (0, True)


def test_without_credentials_the_reason_is_said() -> None:
    code, output = run("connect", HUB, "--from-environment")
    assert code == 2
    assert "credentials" in output


def test_the_doctor_examines_all_that_is_connected(cloud: Cloud) -> None:
    run("connect", HUB, "--discover", "gatehouse-reader", "--external-id", ID_OF_SPOKES)
    cloud.deny("iam:ListUsers")
    code, output = run("doctor")
    assert code == 1
    assert output.count("The worker’s own credentials") == 5
    assert output.count("No permission is missing.") == 4
    assert DoctorRun.objects.count() == 5


def test_the_doctor_answers_machines(cloud: Cloud) -> None:
    run(*ROLE)
    cloud.deny("iam:ListUsers")
    code, output = run("doctor", SANDBOX, "--json")
    (answer,) = json.loads(output)["accounts"]
    assert code == 1
    assert (answer["account"], answer["reachable"], answer["missing"]) == (
        SANDBOX,
        True,
        {"read": ["iam:ListUsers"], "write": []},
    )


def test_the_doctor_knows_only_connected_accounts() -> None:
    factories.account(exports.NUMBER, source="export", role_arn="")
    for number in (exports.NUMBER, "999999999999"):
        code, output = run("doctor", number)
        assert code == 1
        assert "isn’t connected" in output


@pytest.fixture
def files(tmp_path: Path) -> Any:
    export, report = tmp_path / "iam.json", tmp_path / "report.csv"
    export.write_bytes(exports.as_bytes(exports.export("maya", "kwame")))
    report.write_bytes(exports.report("maya", "kwame"))
    return export, report


def test_an_export_is_imported_with_its_report(files: Any) -> None:
    export, report = files
    code, output = run(
        "import_account", str(export), "--credential-report", str(report), "--name", "brightwater", "-v", "2"
    )
    assert code == 0
    assert f"brightwater {exports.NUMBER} is loaded as of 3 Mar 2026, 10:00:00 UTC" in output
    assert "Reading the file" in output
    assert Entry.objects.get(kind="account.import").actor_label == "Command line"
    assert export.exists()


def test_what_cannot_be_imported_is_exit_code_1(files: Any, tmp_path: Path) -> None:
    export, report = files
    run("import_account", str(export))
    for args, words in (
        ((str(export),), "Upload a later export"),
        ((str(report),), "isn’t valid"),
        ((str(tmp_path / "none.json"),), "File not found"),
        ((str(export), "--credential-report", str(export)), "lacks the column"),
    ):
        code, output = run("import_account", *args)
        assert code == 1
        assert words in output


def test_a_loss_is_held_back_and_accepted_by_word(tmp_path: Path) -> None:
    path = tmp_path / "iam.json"
    many = [f"user-{n}" for n in range(40)]
    for names, made, more, words in (
        (many, "2026-03-04", (), "is loaded as of"),
        (many[:5], "2026-03-05", (), "On hold: 35 of 40"),
        (many[:5], "2026-03-05", ("--accept-loss",), "is loaded as of"),
    ):
        path.write_bytes(exports.as_bytes(exports.export(*names)))
        code, output = run("import_account", str(path), "--made-at", made, *more)
        assert code == 0
        assert words in output
    assert Pull.objects.filter(trigger="upload").count() == 3
