"""The credential report: waited for within bounds, typed, and with a sentence for what is wrong in a file."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads.credential_report import ReportedKey, parse_credential_report, read_credential_report
from iam.aws.session import Aws
from tests.bench.fakeaws.world import World
from tests.iam.aws.scripted import answer, error

AT = datetime(2026, 10, 1, 12, tzinfo=UTC)
HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)
ROOT = (
    "<root_account>,arn:aws:iam::111111111111:root,2018-01-01T00:00:00+00:00,not_supported,2026-09-30T08:00:00+00:00,"
    "not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A"
)
ADA = (
    "ada,arn:aws:iam::111111111111:user/ada,2020-02-29T09:00:00+00:00,TRUE,no_information,2021-01-01T00:00:00+00:00,N/A,"
    "false,true,2022-01-01T00:00:00+00:00,2026-09-29T00:00:00+00:00,eu-west-1,s3,false,2023-01-01T00:00:00+00:00,N/A,N/A,"
    "N/A,true,2024-01-01T00:00:00+00:00,false,N/A"
)


def parse(*lines: str):
    return parse_credential_report("\n".join(lines).encode(), generated_at=AT)


def test_rows_are_typed_and_the_root_user_is_one_of_them() -> None:
    root, ada = parse(HEADER, ROOT, ADA).rows
    assert (root.is_root, root.password_enabled, root.mfa_active) == (True, None, True)
    assert root.password_last_used == datetime(2026, 9, 30, 8, tzinfo=UTC)
    assert (ada.is_root, ada.password_enabled, ada.password_last_used) == (False, True, None)
    assert ada.keys[0] == ReportedKey(
        active=True,
        last_rotated=datetime(2022, 1, 1, tzinfo=UTC),
        last_used_at=datetime(2026, 9, 29, tzinfo=UTC),
        last_used_region="eu-west-1",
        last_used_service="s3",
    )
    assert (ada.keys[1].active, ada.keys[1].last_rotated) == (False, datetime(2023, 1, 1, tzinfo=UTC))
    assert (ada.certificates[0].active, ada.certificates[1].active) == (True, False)


def test_columns_may_come_in_another_order_and_new_ones_may_follow() -> None:
    columns, cells = HEADER.split(","), ADA.split(",")
    shuffled = ",".join([*reversed(columns), "additional_credentials_info"])
    (row,) = parse(shuffled, ",".join([*reversed(cells), "2 passkeys"])).rows
    assert (row.user, row.keys[0].last_used_service, row.additional_credentials) == (
        "ada",
        "s3",
        "2 passkeys",
    )


@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_files_of_windows_are_read_too(start: str, end: str) -> None:
    content = (start + end.join([HEADER, ROOT, ADA, ""])).encode()
    assert len(parse_credential_report(content, generated_at=AT).rows) == 2


WRONG_FILES = {
    "line 1 .* lacks the column user": ["a,b", "1,2"],
    "line 1 .* lacks the column mfa_active": [HEADER.replace("mfa_active", "mfa"), ADA],
    "line 3 .* has 2 columns; the header has 22": [HEADER, ROOT, "a,b"],
    "line 2, column user_creation_time .* is not a date: 'soon'": [
        HEADER,
        ADA.replace("2020-02-29T09:00:00+00:00", "soon"),
    ],
    "line 2, column user_creation_time .* is not a date: 'N/A'": [
        HEADER,
        ADA.replace("2020-02-29T09:00:00+00:00", "N/A"),
    ],
    "line 2, column user_creation_time .* is not a date: '0001-01-01": [
        HEADER,
        ADA.replace("2020-02-29T09:00:00+00:00", "0001-01-01T00:00:00+14:00"),
    ],
    "line 2, column user_creation_time .* is not a date: '9999-12-31": [
        HEADER,
        ADA.replace("2020-02-29T09:00:00+00:00", "9999-12-31T00:00:00+00:00"),
    ],
    "line 2, column password_enabled .* neither true nor false: 'yes'": [HEADER, ADA.replace("TRUE", "yes")],
    "line 2, column user .* is empty": [HEADER, ADA.removeprefix("ada")],
    "line 2 .* is not CSV": [HEADER, '"ada"x,' + ADA],
    "line 1 .* lacks the column": [""],
    "line 2, column user .* is not what AWS writes there: '<script>": [
        HEADER,
        ADA.replace("ada", "<script>", 1),
    ],
    "line 2, column arn .* is not what AWS writes there": [
        HEADER,
        ADA.replace(":user/ada", ":user/a\x00b", 1),
    ],
    "user ada is there twice": [HEADER, ADA, ADA],
}


@pytest.mark.parametrize(("sentence", "lines"), WRONG_FILES.items(), ids=list(WRONG_FILES))
def test_what_is_wrong_in_a_file_is_said_with_its_place(sentence: str, lines: list[str]) -> None:
    with pytest.raises(ValueError, match=f"(?i){sentence}"):
        parse(*lines)


def test_words_that_no_database_stores_are_made_harmless() -> None:
    (row,) = parse(HEADER, ADA.replace("eu-west-1", "eu\x00\u202e" + "x" * 1000)).rows
    region = row.keys[0].last_used_region or ""
    assert region.startswith("eu\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}x")
    assert len(region) == 256


def test_a_file_that_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="not UTF-8 text"):
        parse_credential_report(b"\x89PNG\xff\xfe", generated_at=AT)


def test_a_file_that_no_account_can_have_is_refused_unread() -> None:
    with pytest.raises(ValueError, match="larger than 20 MB"):
        parse_credential_report(b"x" * 20_000_001, generated_at=AT)


def test_the_report_of_an_account_has_all_its_users(aws: Aws, world: World) -> None:
    report = read_credential_report(aws)
    users = {user["name"]: user for user in world.account.users}
    assert {row.user for row in report.rows} == {"<root_account>", *users}
    for row in report.rows[1:]:
        fact = users[row.user]
        assert row.password_enabled == bool(fact["login"])
        assert row.mfa_active == bool(fact["mfa"] or fact["security_key"])
        assert [key.active for key in row.keys][: len(fact["keys"])] == [
            k["status"] == "Active" for k in fact["keys"]
        ]


def test_a_report_that_is_being_made_is_waited_for(aws: Aws, world: World) -> None:
    world.iam.report.forget()
    world.control("/_config", {"report_steps": "3"})
    pauses: list[float] = []
    assert read_credential_report(aws, sleep=pauses.append).rows
    assert pauses == [0.5, 1.0, 2.0]
    assert aws.calls["iam:GenerateCredentialReport"] == 4


def test_the_wait_for_a_report_has_an_end(
    scripted: Callable[..., Aws], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("iam.aws.reads.credential_report.time.monotonic", lambda: now[0])
    starting = answer("GenerateCredentialReport", "<State>STARTED</State>")
    with pytest.raises(AwsError, match="not ready within 10 seconds") as caught:
        read_credential_report(
            scripted(*[starting] * 9),
            wait_seconds=10,
            sleep=lambda seconds: now.__setitem__(0, now[0] + seconds),
        )
    assert (caught.value.kind, caught.value.is_retryable) == (ErrorKind.TIMEOUT, True)


def test_a_report_that_is_in_progress_when_it_is_fetched_is_waited_for(scripted: Callable[..., Aws]) -> None:
    content = base64.b64encode("\n".join([HEADER, ROOT]).encode()).decode()
    ready = answer("GenerateCredentialReport", "<State>COMPLETE</State>")
    whole = f"<Content>{content}</Content><GeneratedTime>2026-10-01T12:00:00Z</GeneratedTime>"
    aws = scripted(ready, error("ReportInProgress", status=404), ready, answer("GetCredentialReport", whole))
    assert read_credential_report(aws, sleep=lambda seconds: None).generated_at == AT


@pytest.mark.parametrize("denied", ["iam:GenerateCredentialReport", "iam:GetCredentialReport"])
def test_a_denied_report_names_the_permission(aws: Aws, world: World, denied: str) -> None:
    world.control("/_config", {"deny": denied})
    with pytest.raises(AwsError) as caught:
        read_credential_report(aws)
    assert caught.value.permission == denied


def test_a_report_that_cannot_be_read_is_an_error(scripted: Callable[..., Aws]) -> None:
    content = base64.b64encode(b"a,b\n1,2").decode()
    whole = f"<Content>{content}</Content><GeneratedTime>2026-10-01T12:00:00Z</GeneratedTime>"
    aws = scripted(
        answer("GenerateCredentialReport", "<State>COMPLETE</State>"), answer("GetCredentialReport", whole)
    )
    with pytest.raises(AwsError, match="lacks the column user"):
        read_credential_report(aws)
