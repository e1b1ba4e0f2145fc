"""moto's IAM with an overlay for what it lacks or answers incorrectly."""

from __future__ import annotations

from typing import Any

from moto.iam.responses import IamResponse

from console.demo.standin.iam.account import AccountWide
from console.demo.standin.iam.credentials import CredentialCalls
from console.demo.standin.iam.delegation import DelegationCalls
from console.demo.standin.iam.details import AuthorizationDetails
from console.demo.standin.iam.gets import GetCalls
from console.demo.standin.iam.last_accessed import LastAccessed
from console.demo.standin.iam.lists import ListCalls
from console.demo.standin.iam.mfa import MfaCalls
from console.demo.standin.iam.policies import PolicyCalls, RoleCalls
from console.demo.standin.iam.providers import ProviderCalls
from console.demo.standin.iam.report import ReportCalls
from console.demo.standin.iam.service_linked import ServiceLinkedRoles
from console.demo.standin.iam.simulate import SimulateCalls
from console.demo.standin.iam.tags import TagCalls
from console.demo.standin.iam.users import GroupCalls, UserCalls


class IamRequest(
    GetCalls,
    ListCalls,
    AuthorizationDetails,
    ReportCalls,
    AccountWide,
    UserCalls,
    GroupCalls,
    PolicyCalls,
    RoleCalls,
    ServiceLinkedRoles,
    CredentialCalls,
    MfaCalls,
    DelegationCalls,
    ProviderCalls,
    TagCalls,
    LastAccessed,
    SimulateCalls,
    IamResponse,  # type: ignore[misc]
):
    """An IAM request. Each mixin answers the calls of one topic, and moto answers all others."""

    # The shapes are complete and encoded. moto's transformers would encode them again.
    RESPONSE_KEY_PATH_TO_TRANSFORMER: dict[str, Any] = {}
