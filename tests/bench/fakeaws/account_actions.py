"""The calls about the account as a whole: providers, certificates, summary, password policy, credential
report.
"""

from __future__ import annotations

import base64
import zlib

from tests.bench.fakeaws.account import Account
from tests.bench.fakeaws.accounts import localise
from tests.bench.fakeaws.bulk import ApiError, Params, missing, page
from tests.bench.fakeaws.entity_actions import EntityActions
from tests.bench.fakeaws.ids import BASE_ACCOUNT, EPOCH, iso, uid
from tests.bench.fakeaws.report import Report
from tests.bench.fakeaws.xml import Fact, members, tags_xml, x

_RULES = (
    "RequireSymbols",
    "RequireNumbers",
    "RequireUppercaseCharacters",
    "RequireLowercaseCharacters",
    "AllowUsersToChangePassword",
    "ExpirePasswords",
)
_QUOTAS = {
    "UsersQuota": 5000,
    "GroupsQuota": 300,
    "RolesQuota": 5000,
    "PoliciesQuota": 5000,
    "AttachedPoliciesPerUserQuota": 20,
    "VersionsPerPolicyQuota": 5,
}


def delegation_xml(request: Fact) -> str:
    """A delegation request: its id, state and, by the names of AWS, what else is to be told."""
    return "".join(x(name, value) for name, value in request.items())


class Iam(EntityActions):
    """All of IAM. `_acct` in the parameters is the number of the account that asks."""

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.report = Report()

    def ListAccountAliases(self, p: Params) -> str:
        return members("AccountAliases", [f"corp-{BASE_ACCOUNT}"]) + x("IsTruncated", False)

    def ListOrganizationsFeatures(self, p: Params) -> str:
        return x("OrganizationId", "o-exampleorg1") + members("EnabledFeatures", ["RootSessions"])

    def GetOutboundWebIdentityFederationInfo(self, p: Params) -> str:
        if not self.a.issuer:
            raise ApiError(404, "FeatureDisabled", "Outbound web identity federation is disabled.")
        return x("IssuerIdentifier", self.a.issuer) + x("JwtVendingEnabled", True)

    def ListDelegationRequests(self, p: Params) -> str:
        return page("DelegationRequests", self.a.delegations, delegation_xml, p).replace(
            "IsTruncated", "isTruncated"
        )

    def ListSAMLProviders(self, p: Params) -> str:
        dates = x("ValidUntil", "2030-01-01T00:00:00Z") + x("CreateDate", "2020-01-01T00:00:00Z")
        return members("SAMLProviderList", (x("Arn", arn) + dates for arn in self.a.saml))

    def GetSAMLProvider(self, p: Params) -> str:
        if p["SAMLProviderArn"] not in self.a.saml:
            raise missing("The SAML provider cannot be found.")
        document = x("SAMLMetadataDocument", "<EntityDescriptor entityID='x'/>")
        dates = x("CreateDate", "2020-01-01T00:00:00Z") + x("ValidUntil", "2030-01-01T00:00:00Z")
        return document + dates + tags_xml({"Owner": "identity & access"})

    def ListOpenIDConnectProviders(self, p: Params) -> str:
        return members("OpenIDConnectProviderList", (x("Arn", arn) for arn in self.a.oidc))

    def GetOpenIDConnectProvider(self, p: Params) -> str:
        if p["OpenIDConnectProviderArn"] not in self.a.oidc:
            raise missing("The OpenID Connect provider cannot be found.")
        url = x("Url", p["OpenIDConnectProviderArn"].split("/", 1)[1])
        lists = members("ClientIDList", ["sts.amazonaws.com"]) + members("ThumbprintList", ["0" * 40])
        return url + lists + x("CreateDate", "2021-01-01T00:00:00Z") + tags_xml({})

    def ListServerCertificates(self, p: Params) -> str:
        def shape(name: str) -> str:
            arn = f"arn:aws:iam::{BASE_ACCOUNT}:server-certificate/{name}"
            number = self.a.server_certificates.index(name)
            head = (
                x("Path", "/")
                + x("ServerCertificateName", name)
                + x("ServerCertificateId", uid("ASCA", number))
            )
            dates = x("UploadDate", "2022-01-01T00:00:00Z") + x("Expiration", "2026-12-31T00:00:00Z")
            return head + x("Arn", arn) + dates

        return page("ServerCertificateMetadataList", self.a.server_certificates, shape, p)

    def ListServiceSpecificCredentials(self, p: Params) -> str:
        owners = self.a.users if p.get("AllUsers") == "true" else [self.user_of(p)]
        credentials = [(user, credential) for user in owners for credential in user["service"]]

        def shape(pair: tuple[Fact, tuple[str, str, str, int]]) -> str:
            user, (credential_id, service, created, number) = pair
            head = x("UserName", user["name"]) + x("Status", "Active" if number % 3 else "Inactive")
            login = x("ServiceUserName", f"{user['name']}-at-{BASE_ACCOUNT}") + x("CreateDate", created)
            return head + login + x("ServiceSpecificCredentialId", credential_id) + x("ServiceName", service)

        if p.get("AllUsers") == "true":
            return page("ServiceSpecificCredentials", credentials, shape, p)
        return members("ServiceSpecificCredentials", map(shape, credentials))

    def ListInstanceProfileTags(self, p: Params) -> str:
        return tags_xml({"Fleet": "web"}) + x("IsTruncated", False)

    def ListSAMLProviderTags(self, p: Params) -> str:
        return tags_xml({"Owner": "identity & access"}) + x("IsTruncated", False)

    def ListOpenIDConnectProviderTags(self, p: Params) -> str:
        return tags_xml({}) + x("IsTruncated", False)

    def ListMFADeviceTags(self, p: Params) -> str:
        return tags_xml({}) + x("IsTruncated", False)

    def ListServerCertificateTags(self, p: Params) -> str:
        return tags_xml({}) + x("IsTruncated", False)

    def GetAccountSummary(self, p: Params) -> str:
        a = self.a
        devices = sum(1 for user in a.users if user["mfa"])
        counts = {
            "Users": len(a.users),
            "Groups": len(a.groups),
            "Roles": len(a.roles),
            "Policies": len(a.policies),
            "InstanceProfiles": sum(len(e["profiles"]) for e in a.roles),
            "MFADevices": devices,
            "MFADevicesInUse": devices,
            "AccountMFAEnabled": 1,
            "AccountAccessKeysPresent": 0,
            "AccountSigningCertificatesPresent": 0,
            "Providers": len(a.saml) + len(a.oidc),
            "ServerCertificates": len(a.server_certificates),
            "PolicyVersionsInUse": sum(len(policy["versions"]) for policy in a.policies),
        }
        entries = (
            f"<entry><key>{key}</key><value>{value}</value></entry>"
            for key, value in (counts | _QUOTAS).items()
        )
        return f"<SummaryMap>{''.join(entries)}</SummaryMap>"

    def GetAccountPasswordPolicy(self, p: Params) -> str:
        rules = "".join(x(rule, True) for rule in _RULES)
        ages = x("MaxPasswordAge", 90) + x("PasswordReusePrevention", 24)
        return f"<PasswordPolicy>{x('MinimumPasswordLength', 14)}{rules}{ages}</PasswordPolicy>"

    def GenerateCredentialReport(self, p: Params) -> str:
        return x("State", self.report.generate(self.a.users))

    def GetCredentialReport(self, p: Params) -> str:
        if self.report.content is None:
            raise ApiError(
                410, "ReportNotPresent", "No report is present. Call GenerateCredentialReport first."
            )
        # Base64 hides the account id, so the copy for another account is made here.
        content = localise(self.report.content.encode(), p["_acct"])
        body = x("Content", base64.b64encode(content).decode()) + x("ReportFormat", "text/csv")
        return body + x("GeneratedTime", iso(self.report.generated_at))

    def GenerateServiceLastAccessedDetails(self, p: Params) -> str:
        return x("JobId", f"00000000-0000-0000-0000-{zlib.crc32(p.get('Arn', '').encode()):012d}")

    def GetServiceLastAccessedDetails(self, p: Params) -> str:
        service = x("ServiceName", "Amazon S3") + x("ServiceNamespace", "s3")
        used = x("LastAuthenticated", "2026-09-01T00:00:00Z") + x("TotalAuthenticatedEntities", 1)
        dates = x("JobCreationDate", iso(EPOCH)) + x("JobCompletionDate", iso(EPOCH))
        status = x("JobStatus", "COMPLETED") + dates
        return status + members("ServicesLastAccessed", [service + used]) + x("IsTruncated", False)
