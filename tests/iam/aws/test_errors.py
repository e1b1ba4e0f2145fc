"""Every failure of AWS has one of our kinds, and says what is missing."""

from __future__ import annotations

import pickle

import pytest
from botocore import exceptions as sdk

from iam.aws.errors import AwsError, ErrorKind, from_client_error, kind_of, map_errors
from iam.aws.reads import lists
from tests.iam.aws.scripted import REQUEST_ID, error

CODES = [
    ("Throttling", 400, ErrorKind.THROTTLED),
    ("TooManyRequestsException", 400, ErrorKind.THROTTLED),
    ("RequestLimitExceeded", 503, ErrorKind.THROTTLED),
    ("AccessDenied", 403, ErrorKind.DENIED),
    ("AccessDeniedException", 400, ErrorKind.DENIED),
    ("UnauthorizedOperation", 403, ErrorKind.DENIED),
    ("InvalidClientTokenId", 403, ErrorKind.CREDENTIALS),
    ("ExpiredToken", 403, ErrorKind.CREDENTIALS),
    ("SignatureDoesNotMatch", 403, ErrorKind.CREDENTIALS),
    ("NoSuchEntity", 404, ErrorKind.NOT_FOUND),
    ("AccountNotFoundException", 400, ErrorKind.NOT_FOUND),
    ("InvalidInstanceID.NotFound", 400, ErrorKind.NOT_FOUND),
    ("AWSOrganizationsNotInUseException", 400, ErrorKind.NOT_FOUND),
    ("EntityAlreadyExists", 409, ErrorKind.CONFLICT),
    ("DeleteConflict", 409, ErrorKind.CONFLICT),
    ("DuplicateSSHPublicKey", 400, ErrorKind.CONFLICT),
    ("LimitExceeded", 409, ErrorKind.LIMIT),
    ("MalformedPolicyDocument", 400, ErrorKind.INVALID),
    ("ValidationError", 400, ErrorKind.INVALID),
    ("InvalidAuthenticationCode", 403, ErrorKind.INVALID),
    ("ServiceFailure", 500, ErrorKind.UNAVAILABLE),
    ("SomethingNew", 502, ErrorKind.UNAVAILABLE),
    ("SomethingNew", 409, ErrorKind.CONFLICT),
    ("SomethingNew", 0, ErrorKind.UNEXPECTED),
]


@pytest.mark.parametrize(("code", "status", "kind"), CODES)
def test_a_code_of_aws_has_its_kind(code: str, status: int, kind: ErrorKind) -> None:
    assert kind_of(code, status=status) is kind


SDK_ERRORS = [
    (sdk.ConnectTimeoutError(endpoint_url="https://iam"), ErrorKind.TIMEOUT, True),
    (sdk.ReadTimeoutError(endpoint_url="https://iam"), ErrorKind.TIMEOUT, True),
    (sdk.EndpointConnectionError(endpoint_url="https://iam"), ErrorKind.UNAVAILABLE, True),
    (sdk.ConnectionClosedError(endpoint_url="https://iam"), ErrorKind.UNAVAILABLE, True),
    (sdk.SSLError(endpoint_url="https://iam", error="bad"), ErrorKind.UNAVAILABLE, True),
    (sdk.NoCredentialsError(), ErrorKind.CREDENTIALS, False),
    (sdk.PartialCredentialsError(provider="env", cred_var="secret"), ErrorKind.CREDENTIALS, False),
    (sdk.CredentialRetrievalError(provider="p", error_msg="e"), ErrorKind.CREDENTIALS, False),
    (sdk.ParamValidationError(report="r"), ErrorKind.INVALID, False),
    (sdk.NoRegionError(), ErrorKind.UNEXPECTED, False),
]


@pytest.mark.parametrize(("raised", "kind", "retryable"), SDK_ERRORS)
def test_an_error_of_the_sdk_has_its_kind(raised: Exception, kind: ErrorKind, retryable: bool) -> None:
    with pytest.raises(AwsError) as caught, map_errors("iam:ListUsers"):
        raise raised
    assert (caught.value.kind, caught.value.is_retryable, caught.value.action) == (
        kind,
        retryable,
        "iam:ListUsers",
    )
    assert caught.value.__cause__ is raised


def test_an_error_that_is_not_the_sdks_passes_untouched() -> None:
    with pytest.raises(ZeroDivisionError), map_errors("iam:ListUsers"):
        raise ZeroDivisionError


DENIALS = [
    (
        "User: arn:aws:iam::1:user/x is not authorized to perform: iam:GetUser on resource: user y",
        "iam:GetUser",
    ),
    (
        "User: x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::2:role/r",
        "sts:AssumeRole",
    ),
    ("You don't have permissions to access this resource.", "iam:ListUsers"),
]


@pytest.mark.parametrize(("message", "permission"), DENIALS)
def test_a_denial_names_the_action_that_is_missing(message: str, permission: str) -> None:
    denied = from_client_error(_client_error("AccessDenied", message, "ListUsers"), action="iam:ListUsers")
    assert (denied.kind, denied.permission, denied.is_retryable) == (ErrorKind.DENIED, permission, False)


def test_a_failure_that_is_no_denial_names_no_permission() -> None:
    message = "not authorized to perform: iam:GetUser"
    assert (
        from_client_error(
            _client_error("Throttling", message, "ListUsers"), action="iam:ListUsers"
        ).permission
        is None
    )


def test_a_role_that_cannot_be_assumed_on_the_way_is_reported_as_that() -> None:
    failed = from_client_error(_client_error("AccessDenied", "no", "AssumeRole"), action="iam:ListUsers")
    assert (failed.action, failed.permission) == ("sts:AssumeRole", "sts:AssumeRole")


@pytest.mark.parametrize("code", ["EntityTemporarilyUnmodifiable", "ConcurrentModification"])
def test_a_conflict_that_passes_by_itself_is_worth_a_retry(code: str) -> None:
    assert from_client_error(
        _client_error(code, "later", "AddUserToGroup"), action="iam:AddUserToGroup"
    ).is_retryable


def test_code_message_and_request_id_come_from_the_answer(scripted) -> None:
    aws = scripted(error("NoSuchEntity", "The user with name x cannot be found.", status=404))
    with pytest.raises(AwsError) as caught:
        lists.account_summary(aws)
    failed = caught.value
    assert (failed.code, failed.message) == ("NoSuchEntity", "The user with name x cannot be found.")
    assert failed.request_id == REQUEST_ID
    assert (
        str(failed) == "iam:GetAccountSummary: not_found NoSuchEntity: The user with name x cannot be found."
    )


def test_an_error_survives_the_way_between_processes() -> None:
    before = AwsError(
        "no", kind=ErrorKind.DENIED, action="iam:GetUser", code="AccessDenied", permission="iam:GetUser"
    )
    after = pickle.loads(pickle.dumps(before))
    assert (str(after), after.kind, after.permission) == (str(before), before.kind, before.permission)


def _client_error(code: str, message: str, operation: str) -> sdk.ClientError:
    metadata = {"HTTPStatusCode": 403, "RequestId": REQUEST_ID}
    return sdk.ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, operation
    )
