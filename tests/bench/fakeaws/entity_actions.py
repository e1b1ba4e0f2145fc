"""The calls about one user, group, role or managed policy, and the lists of them."""

from __future__ import annotations

from xml.sax.saxutils import escape

from tests.bench.fakeaws.bulk import Bulk, Params, missing, page, whole, window
from tests.bench.fakeaws.ids import BASE_ACCOUNT
from tests.bench.fakeaws.xml import (
    Fact,
    attached_xml,
    doc,
    head_xml,
    members,
    policy_head,
    profile_xml,
    role_short,
    tags_xml,
    user_xml,
    version_xml,
    x,
)


class EntityActions(Bulk):
    """One method per action, named as the action: parameters in, what stands inside of <ActionResult> out."""

    def ListUsers(self, p: Params) -> str:
        return page("Users", self.a.users, user_xml, p)

    def GetUser(self, p: Params) -> str:
        return f"<User>{user_xml(self.user_of(p), True)}</User>"

    def ListUserTags(self, p: Params) -> str:
        return tags_xml(self.user_of(p)["tags"]) + x("IsTruncated", False)

    def ListGroupsForUser(self, p: Params) -> str:
        groups = [self.a.group[name] for name in self.user_of(p)["groups"]]
        return page("Groups", groups, lambda e: head_xml(e, "Group"), p)

    def ListUserPolicies(self, p: Params) -> str:
        return _names(self.user_of(p), p)

    def ListAttachedUserPolicies(self, p: Params) -> str:
        return _attached(self.user_of(p))

    def GetUserPolicy(self, p: Params) -> str:
        return _inline(self.user_of(p), p, "UserName")

    def ListGroups(self, p: Params) -> str:
        return page("Groups", self.a.groups, lambda e: head_xml(e, "Group"), p)

    def GetGroup(self, p: Params) -> str:
        group = self.group_of(p)
        users = page("Users", self.a.members[group["name"]], user_xml, p)
        return f"<Group>{head_xml(group, 'Group')}</Group>{users}"

    def ListGroupPolicies(self, p: Params) -> str:
        return _names(self.group_of(p), p)

    def ListAttachedGroupPolicies(self, p: Params) -> str:
        return _attached(self.group_of(p))

    def GetGroupPolicy(self, p: Params) -> str:
        return _inline(self.group_of(p), p, "GroupName")

    def ListRoles(self, p: Params) -> str:
        return page("Roles", self.a.roles, role_short, p)

    def GetRole(self, p: Params) -> str:
        return f"<Role>{role_short(self.role_of(p), True)}</Role>"

    def ListRoleTags(self, p: Params) -> str:
        return tags_xml(self.role_of(p)["tags"]) + x("IsTruncated", False)

    def ListRolePolicies(self, p: Params) -> str:
        return _names(self.role_of(p), p)

    def ListAttachedRolePolicies(self, p: Params) -> str:
        return _attached(self.role_of(p))

    def GetRolePolicy(self, p: Params) -> str:
        return _inline(self.role_of(p), p, "RoleName")

    def ListInstanceProfiles(self, p: Params) -> str:
        profiles = [(e, profile) for e in self.a.roles for profile in e["profiles"]]
        return page("InstanceProfiles", profiles, lambda pair: profile_xml(*pair), p)

    def ListInstanceProfilesForRole(self, p: Params) -> str:
        role = self.role_of(p)
        return page("InstanceProfiles", role["profiles"], lambda profile: profile_xml(role, profile), p)

    def ListPolicies(self, p: Params) -> str:
        scope, only = p.get("Scope", "All"), p.get("OnlyAttached") == "true"
        policies = [
            q
            for q in self.a.policies + self.a.managed
            if (scope == "All" or (scope == "AWS") == q["aws"]) and (not only or q["attached"] or q["bounds"])
        ]
        return page("Policies", policies, policy_head, p)

    def GetPolicy(self, p: Params) -> str:
        policy = self.policy_of(p)
        return (
            f"<Policy>{policy_head(policy)}{x('Description', policy['desc'] or None)}"
            f"{tags_xml(policy['tags'])}</Policy>"
        )

    def ListPolicyVersions(self, p: Params) -> str:
        policy = self.policy_of(p)

        def shape(version: tuple[str, str, str]) -> str:
            is_default = version[0] == policy["default"]
            return (
                x("VersionId", version[0]) + x("IsDefaultVersion", is_default) + x("CreateDate", version[2])
            )

        return page("Versions", policy["versions"], shape, p)

    def GetPolicyVersion(self, p: Params) -> str:
        policy = self.policy_of(p)
        for version in policy["versions"]:
            if version[0] == p["VersionId"]:
                return f"<PolicyVersion>{version_xml(policy, version)}</PolicyVersion>"
        raise missing("The policy version cannot be found.")

    def ListPolicyTags(self, p: Params) -> str:
        return tags_xml(self.policy_of(p)["tags"]) + x("IsTruncated", False)

    def ListEntitiesForPolicy(self, p: Params) -> str:
        wanted, entities = p.get("EntityFilter"), self.a.entities[self.policy_of(p)["arn"]]
        start, end, tail = window(len(entities), p)
        lists = []
        for kind in ("Group", "User", "Role"):
            of_kind = (e for e in entities[start:end] if e["kind"] == kind.lower() and wanted in (None, kind))
            shapes = (x(f"{kind}Name", e["name"]) + x(f"{kind}Id", e["id"]) for e in of_kind)
            lists.append(members(f"Policy{kind}s", shapes))
        return "".join(lists) + tail

    def ListAccessKeys(self, p: Params) -> str:
        user = self.user_of(p)

        def shape(key: Fact) -> str:
            head = x("UserName", user["name"]) + x("AccessKeyId", key["id"])
            return head + x("Status", key["status"]) + x("CreateDate", key["created"])

        return page("AccessKeyMetadata", user["keys"], shape, p)

    def GetAccessKeyLastUsed(self, p: Params) -> str:
        if p["AccessKeyId"] not in self.a.key_owner:
            raise missing(f"The Access Key with id {p['AccessKeyId']} cannot be found.")
        user, key = self.a.key_owner[p["AccessKeyId"]]
        service, region = ("s3", "eu-west-1") if key["used"] else ("N/A", "N/A")
        used = x("LastUsedDate", key["used"]) + x("ServiceName", service) + x("Region", region)
        return x("UserName", user["name"]) + f"<AccessKeyLastUsed>{used}</AccessKeyLastUsed>"

    def GetLoginProfile(self, p: Params) -> str:
        user = self.user_of(p)
        if not user["login"]:
            raise missing(f"Login Profile for User {user['name']} cannot be found.")
        inner = (
            x("UserName", user["name"]) + x("CreateDate", user["login"]) + x("PasswordResetRequired", False)
        )
        longest = x("MaxSigninSessionDuration", user.get("max_sign_in"))
        return f"<LoginProfile>{inner}{longest}</LoginProfile>"

    def ListMFADevices(self, p: Params) -> str:
        user = self.user_of(p)
        devices = [_virtual_mfa(user)] if user["mfa"] else []
        if user["security_key"]:
            serial = f"arn:aws:iam::{BASE_ACCOUNT}:u2f/user/{user['name']}/key-{user['id'][-6:]}"
            devices.append(x("SerialNumber", serial) + x("EnableDate", user["security_key"]))
        return whole("MFADevices", (x("UserName", user["name"]) + device for device in devices))

    def ListVirtualMFADevices(self, p: Params) -> str:
        owners = [user for user in self.a.users if user["mfa"]]
        return page(
            "VirtualMFADevices", owners, lambda user: f"{_virtual_mfa(user)}<User>{user_xml(user)}</User>", p
        )

    def ListSSHPublicKeys(self, p: Params) -> str:
        user = self.user_of(p)

        def shape(key: tuple[str, str]) -> str:
            head = x("UserName", user["name"]) + x("SSHPublicKeyId", key[0])
            return head + x("Status", "Active") + x("UploadDate", key[1])

        return page("SSHPublicKeys", user["ssh"], shape, p)

    def ListSigningCertificates(self, p: Params) -> str:
        user = self.user_of(p)

        def shape(certificate: tuple[str, str]) -> str:
            head = x("UserName", user["name"]) + x("CertificateId", certificate[0])
            body = x("CertificateBody", "-----BEGIN CERTIFICATE-----")
            return head + body + x("Status", "Active") + x("UploadDate", certificate[1])

        return page("Certificates", user["certificates"], shape, p)


def _virtual_mfa(user: Fact) -> str:
    return x("SerialNumber", f"arn:aws:iam::{BASE_ACCOUNT}:mfa/{user['name']}") + x("EnableDate", user["mfa"])


def _names(e: Fact, p: Params) -> str:
    return page("PolicyNames", e["inline"], lambda inline: escape(inline[0]), p)


def _attached(e: Fact) -> str:
    return attached_xml(e["attached"], "AttachedPolicies") + x("IsTruncated", False)


def _inline(e: Fact, p: Params, label: str) -> str:
    for name, text in e["inline"]:
        if name == p["PolicyName"]:
            return x(label, e["name"]) + x("PolicyName", name) + doc("PolicyDocument", text)
    raise missing("The inline policy cannot be found.")
