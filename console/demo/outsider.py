"""Creates a user outside of Gatehouse after the first sync, so that a demonstration starts with drift."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, Final

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from iam.mirror.models import Account, Entity, Kind
from iam.mirror.pull.sections import ACCESS_KEYS
from iam.mirror.services.pulls import request_pull

logger = structlog.get_logger(__name__)
ACCOUNT: Final = "production"
GROUP: Final = "iam-admins"
NAME: Final = "migration-tmp"
ROLE: Final = "OrganizationAccountAccessRole"
SESSION: Final = "laptop"
CONFIG: Final = Config(
    retries={"total_max_attempts": 1, "mode": "standard"}, connect_timeout=2, read_timeout=5
)


def make_outsider() -> bool:
    """Create a user with an access key in the administrators' group of an account, without Gatehouse's role,
    and request a sync.

    This happens once, after the account's first sync, while the mirror lacks the user. Returns True if it was
    done.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    if not settings.SAMPLE_DATA or not endpoint.startswith("http://127.0.0.1:"):
        return False
    account = Account.objects.filter(name=ACCOUNT, removed_at__isnull=True, drift_watch__isnull=False).first()
    if account is None or not _has_read_keys(account):
        return False
    if Entity.objects.filter(account=account, kind=Kind.USER, name=NAME).exists():
        return False
    try:
        _make(_client(endpoint, account))
    except (ClientError, BotoCoreError) as error:
        logger.warning("sample_outsider.failed", why=type(error).__name__)
        return False
    request_pull(account, trigger="schedule")
    return True


def _has_read_keys(account: Account) -> bool:
    """True if access keys were synced. Their first sync creates no drift."""
    return account.sections.filter(name=ACCESS_KEYS, known_since__isnull=False).exists()


def _client(endpoint: str, account: Account) -> Any:
    """Return an IAM client of the account for someone in the management account, with the role that AWS
    Organizations creates.
    """
    session = boto3.session.Session()
    where = {"endpoint_url": endpoint, "region_name": "us-east-1", "config": CONFIG}
    role = f"arn:aws:iam::{account.account_id}:role/{ROLE}"
    credentials = session.client("sts", **where).assume_role(RoleArn=role, RoleSessionName=SESSION)[
        "Credentials"
    ]
    return session.client(
        "iam",
        **where,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def _make(aws: Any) -> None:
    """Run each step only if it was not done yet, because the process may have ended in between."""
    with suppress(aws.exceptions.EntityAlreadyExistsException):
        aws.create_user(UserName=NAME)
    if not aws.list_access_keys(UserName=NAME)["AccessKeyMetadata"]:
        aws.create_access_key(UserName=NAME)
    aws.add_user_to_group(UserName=NAME, GroupName=GROUP)
