"""The account itself: summary with real counts, alias and password policy.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
"""

from __future__ import annotations

import re
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.models import AWSManagedPolicy

from console.demo.standin.errors import AnswerError
from console.demo.standin.iam.extras import account_extras
from console.demo.standin.organizations import management_backend
from console.demo.standin.overlay import ResponseOverlay

QUOTAS = {
    "UsersQuota": 5000,
    "GroupsQuota": 300,
    "RolesQuota": 1000,
    "PoliciesQuota": 1500,
    "InstanceProfilesQuota": 1000,
    "ServerCertificatesQuota": 20,
    "AccessKeysPerUserQuota": 2,
    "SigningCertificatesPerUserQuota": 2,
    "GroupsPerUserQuota": 10,
    "AttachedPoliciesPerUserQuota": 10,
    "AttachedPoliciesPerGroupQuota": 10,
    "AttachedPoliciesPerRoleQuota": 10,
    "VersionsPerPolicyQuota": 5,
    "PolicyVersionsInUseQuota": 10000,
    "UserPolicySizeQuota": 2048,
    "GroupPolicySizeQuota": 5120,
    "RolePolicySizeQuota": 10240,
    "PolicySizeQuota": 6144,
    "AssumeRolePolicySizeQuota": 2048,
}
ALIAS = re.compile(r"(?!\d{12}$)[a-z\d](-?[a-z\d]){2,62}")


class AccountWide(ResponseOverlay):
    """Calls about the account as a whole."""

    def get_account_summary(self) -> ActionResult:
        """Return counts of entities, and quotas."""
        backend, extras = self.backend, account_extras(self.backend)
        policies = [p for p in backend.managed_policies.values() if not isinstance(p, AWSManagedPolicy)]
        devices = [d for d in extras.devices.values() if d.kind in {"virtual", "hardware"} or d.enabled]
        root = extras.root
        counts = {
            "Users": len(backend.users),
            "Groups": len(backend.groups),
            "Roles": len(backend.roles),
            "Policies": len(policies),
            "PolicyVersionsInUse": sum(len(p.versions) for p in policies),
            "InstanceProfiles": len(backend.instance_profiles),
            "Providers": len(backend.saml_providers) + len(backend.open_id_providers),
            "ServerCertificates": len(backend.certificates),
            "MFADevices": len(devices),
            "MFADevicesInUse": sum(d.enabled is not None for d in devices),
            "AccountMFAEnabled": int(bool(root and root.mfa)),
            "AccountAccessKeysPresent": int(bool(root and root.keys)),
            "AccountSigningCertificatesPresent": 0,
            "AccountPasswordPresent": int(root is not None),
            "GlobalEndpointTokenVersion": 2,
        }
        return ActionResult({"SummaryMap": counts | QUOTAS})

    def list_organizations_features(self) -> ActionResult:
        """List the enabled features of central root access. Only the management account can see them, and the
        sample organization has enabled none.
        """
        organization = management_backend()
        if organization is None:
            raise AnswerError("OrganizationNotFoundException", "The account is in no organization.")
        if self.backend.account_id != organization.org.master_account_id:
            raise AnswerError(
                "AccountNotManagementOrDelegatedAdministratorException",
                "The account is not the management account or a delegated administrator.",
            )
        features = account_extras(self.backend).root_access
        return ActionResult({"OrganizationId": organization.org.id, "EnabledFeatures": sorted(features)})

    def list_account_aliases(self) -> ActionResult:
        """List the account alias. There is at most one."""
        return self._page("AccountAliases", self.backend.account_aliases, name=str)

    def create_account_alias(self) -> ActionResult:
        """Set the account alias. It replaces the previous one."""
        alias = self._get_param("AccountAlias")
        if not ALIAS.fullmatch(alias):
            raise AnswerError("ValidationError", f"The account alias {alias!r} is not valid.")
        self.backend.account_aliases = [alias]
        return EmptyResult()

    def delete_account_alias(self) -> ActionResult:
        """Delete the alias."""
        alias = self._get_param("AccountAlias")
        if alias not in self.backend.account_aliases:
            raise AnswerError("NoSuchEntity", f"The account alias {alias} cannot be found.")
        self.backend.account_aliases = []
        return EmptyResult()

    def get_account_password_policy(self) -> ActionResult:
        """Return the password policy. Raises NoSuchEntity if the account has only AWS's default."""
        return ActionResult({"PasswordPolicy": _password_policy(self.backend.get_account_password_policy())})


def _password_policy(policy: Any) -> dict[str, Any]:
    return {
        "MinimumPasswordLength": policy.minimum_password_length,
        "RequireSymbols": policy.require_symbols,
        "RequireNumbers": policy.require_numbers,
        "RequireUppercaseCharacters": policy.require_uppercase_characters,
        "RequireLowercaseCharacters": policy.require_lowercase_characters,
        "AllowUsersToChangePassword": policy.allow_users_to_change_password,
        "ExpirePasswords": bool(policy.max_password_age),
        "MaxPasswordAge": policy.max_password_age or None,
        "PasswordReusePrevention": policy.password_reuse_prevention or None,
        "HardExpiry": policy.hard_expiry or None,
    }
