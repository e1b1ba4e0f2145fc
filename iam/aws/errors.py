"""Map SDK exceptions to Gatehouse's own kinds of AWS errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

from botocore import exceptions as sdk


class ErrorKind(Enum):
    """The kind of an AWS error. It decides whether the caller retries, reports a missing permission, plans
    again or informs a person.
    """

    THROTTLED = "throttled"
    DENIED = "denied"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    LIMIT = "limit"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"
    CREDENTIALS = "credentials"
    TIMEOUT = "timeout"
    UNEXPECTED = "unexpected"


_BY_CODE: dict[ErrorKind, tuple[str, ...]] = {
    ErrorKind.THROTTLED: (
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled",
        "RequestThrottledException", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown",
        "BandwidthLimitExceeded", "PriorRequestNotComplete", "EC2ThrottledException",
    ),
    ErrorKind.DENIED: (
        "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError",
        "NotAuthorized", "Client.UnauthorizedOperation", "OptInRequired",
        "AccessDeniedForDependencyException",
    ),
    ErrorKind.CREDENTIALS: (
        "InvalidClientTokenId", "ExpiredToken", "ExpiredTokenException", "SignatureDoesNotMatch",
        "IncompleteSignature", "UnrecognizedClientException", "MissingAuthenticationToken",
        "MissingAuthenticationTokenException", "AuthFailure", "InvalidAccessKeyId", "RequestExpired",
        "InvalidSignatureException", "RegionDisabledException", "InvalidIdentityToken", "NotSignedUp",
    ),
    ErrorKind.NOT_FOUND: (
        "NoSuchEntity", "NoSuchEntityException", "ReportNotPresent", "ReportExpired",
        "AWSOrganizationsNotInUseException", "ParentNotFoundException", "OrganizationalUnitNotFoundException",
        "ChildNotFoundException", "AccountNotFoundException", "RootNotFoundException", (
            "TargetNotFoundException"
        ),
        "PolicyNotFoundException",
    ),
    ErrorKind.CONFLICT: (
        "EntityAlreadyExists", "EntityAlreadyExistsException", "DeleteConflict",
        "EntityTemporarilyUnmodifiable", "ConcurrentModification", "ConcurrentModificationException",
        "ConflictException", "DuplicateCertificate", "DuplicateSSHPublicKey", "NameConflict",
        "RoleModified", "ReportInProgress", "IncorrectState",
    ),
    ErrorKind.LIMIT: (
        "LimitExceeded", "LimitExceededException", "ConstraintViolationException",
        "ReportGenerationLimitExceeded", "PolicyLengthExceeded", "ServiceQuotaExceededException",
        "PackedPolicyTooLarge",
    ),
    ErrorKind.UNAVAILABLE: (
        "ServiceFailure", "ServiceUnavailable", "ServiceUnavailableException", "InternalFailure",
        "InternalError", "ServiceException", "Unavailable",
    ),
    # AWS answers a wrong MFA code with 403, but no permission can fix that.
    ErrorKind.INVALID: ("InvalidAuthenticationCode", "InvalidAuthenticationCodeException"),
    ErrorKind.TIMEOUT: ("RequestTimeout", "RequestTimeoutException"),
}  # fmt: skip
_KIND_OF_CODE: dict[str, ErrorKind] = {}
for _kind, _codes in _BY_CODE.items():
    _KIND_OF_CODE |= dict.fromkeys(_codes, _kind)
_KIND_OF_STATUS = {
    400: ErrorKind.INVALID,
    401: ErrorKind.CREDENTIALS,
    403: ErrorKind.DENIED,
    404: ErrorKind.NOT_FOUND,
    408: ErrorKind.TIMEOUT,
    409: ErrorKind.CONFLICT,
    429: ErrorKind.THROTTLED,
}
_ALWAYS_RETRYABLE = frozenset({ErrorKind.THROTTLED, ErrorKind.UNAVAILABLE, ErrorKind.TIMEOUT})
_RETRYABLE_CODES = frozenset(
    {
        "EntityTemporarilyUnmodifiable",
        "ConcurrentModification",
        "ConcurrentModificationException",
        "ReportInProgress",
    }
)
# AWS's message is: User: arn:… is not authorized to perform: iam:ListUsers on resource: …
_MISSING_ACTION = re.compile(r"not authorized to perform:?\s*([a-z0-9-]+:[A-Za-z0-9*]+)", re.IGNORECASE)

ASSUME_ROLE = "sts:AssumeRole"


class AwsError(Exception):
    """A call to AWS failed.

    `action` is the IAM name of the call ("iam:ListUsers"). For a denied call, `permission` is the missing
    action: the one that AWS names in its message, otherwise the call's own. `request_id` is empty if AWS
    never answered.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: ErrorKind,
        action: str,
        code: str = "",
        request_id: str = "",
        permission: str | None = None,
        is_retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.action = action
        self.code = code
        self.request_id = request_id
        self.permission = permission
        self.is_retryable = kind in _ALWAYS_RETRYABLE if is_retryable is None else is_retryable

    @property
    def is_role_refused(self) -> bool:
        """Return True if AWS did not let the worker assume a role. No policy of that role can allow it. The
        role may not exist, or its trust policy or the worker's own policy does not allow it; AWS doesn't say
        which.
        """
        return self.kind is ErrorKind.DENIED and self.action == ASSUME_ROLE

    def __str__(self) -> str:
        code = f" {self.code}" if self.code else ""
        return f"{self.action}: {self.kind.value}{code}: {self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        fields = ("kind", "action", "code", "request_id", "permission", "is_retryable")
        return _rebuild, (self.message, {name: getattr(self, name) for name in fields})


def _rebuild(message: str, fields: dict[str, Any]) -> AwsError:
    return AwsError(message, **fields)


@contextmanager
def map_errors(action: str) -> Iterator[None]:
    """Turn SDK exceptions raised inside the block into AwsError. `action` is the IAM name of the call
    ("iam:ListUsers").
    """
    try:
        yield
    except sdk.ClientError as error:
        raise from_client_error(error, action=action) from error
    except sdk.BotoCoreError as error:
        raise _from_sdk_error(error, action=action) from error


def kind_of(code: str, *, status: int = 0) -> ErrorKind:
    """Return the kind of an AWS error code: by the code, otherwise by the HTTP status."""
    if code in _KIND_OF_CODE:
        return _KIND_OF_CODE[code]
    if code.endswith(("NotFound", "NotFoundException")) or ".NotFound" in code:
        return ErrorKind.NOT_FOUND
    if code.startswith(("Duplicate", "AlreadyIn")):
        return ErrorKind.CONFLICT
    if status >= 500:
        return ErrorKind.UNAVAILABLE
    return _KIND_OF_STATUS.get(status, ErrorKind.UNEXPECTED)


def from_client_error(error: sdk.ClientError, *, action: str) -> AwsError:
    """Return the AwsError for an error response of AWS.

    The failed call can be different from the requested one: refreshing credentials calls sts:AssumeRole, and
    the error then names that action.
    """
    detail = error.response.get("Error", {})
    metadata = error.response.get("ResponseMetadata", {})
    code, message = str(detail.get("Code", "")), str(detail.get("Message", "") or error)
    failed = action if action.endswith(f":{error.operation_name}") else _named(error.operation_name, action)
    kind = kind_of(code, status=int(metadata.get("HTTPStatusCode", 0) or 0))
    retryable = kind in _ALWAYS_RETRYABLE or code in _RETRYABLE_CODES
    missing = _missing_permission(message, failed) if kind is ErrorKind.DENIED else None
    return AwsError(
        message,
        kind=kind,
        action=failed,
        code=code,
        request_id=str(metadata.get("RequestId", "")),
        permission=missing,
        is_retryable=retryable,
    )


def _named(operation: str, action: str) -> str:
    service = "sts" if operation.startswith("AssumeRole") else action.partition(":")[0]
    return f"{service}:{operation}"


def _missing_permission(message: str, action: str) -> str:
    match = _MISSING_ACTION.search(message)
    return match[1] if match else action


_TIMEOUTS = (sdk.ConnectTimeoutError, sdk.ReadTimeoutError)
_UNREACHABLE = (sdk.ConnectionError, sdk.HTTPClientError)
_NO_CREDENTIALS = (
    sdk.NoCredentialsError, sdk.PartialCredentialsError, sdk.CredentialRetrievalError, sdk.NoAuthTokenError,
    sdk.TokenRetrievalError, sdk.SSOError, sdk.ProfileNotFound, sdk.MetadataRetrievalError,
)  # fmt: skip
_WRONG_CALL = (sdk.ParamValidationError, sdk.ValidationError, sdk.UnknownParameterError)


def _from_sdk_error(error: sdk.BotoCoreError, *, action: str) -> AwsError:
    if isinstance(error, _TIMEOUTS):
        kind = ErrorKind.TIMEOUT
    elif isinstance(error, _UNREACHABLE):
        kind = ErrorKind.UNAVAILABLE
    elif isinstance(error, _NO_CREDENTIALS):
        kind = ErrorKind.CREDENTIALS
    elif isinstance(error, _WRONG_CALL):
        kind = ErrorKind.INVALID
    else:
        kind = ErrorKind.UNEXPECTED
    return AwsError(str(error), kind=kind, action=action, code=type(error).__name__)
