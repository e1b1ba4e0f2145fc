"""The sections of an account: data that is read together, is equally fresh, and is swept together."""

from __future__ import annotations

from iam.mirror.models import Kind

USERS = "users"
GROUPS = "groups"
ROLES = "roles"
POLICIES = "policies"
CREDENTIAL_REPORT = "credential_report"
USER_LIST = "user_list"
ROLE_LIST = "role_list"
MFA_DEVICES = "mfa_devices"
SERVICE_CREDENTIALS = "service_credentials"
INSTANCE_PROFILES = "instance_profiles"
PROVIDERS = "providers"
SERVER_CERTIFICATES = "server_certificates"
ACCOUNT = "account"
ORGANIZATION = "organization"
ROOT_ACCESS = "root_access"
OUTBOUND_FEDERATION = "outbound_federation"
DELEGATION_REQUESTS = "delegation_requests"
INSTANCES = "instances"
TRAILS = "trails"
ROLES_ANYWHERE = "roles_anywhere"
POD_IDENTITIES = "pod_identities"
ACCESS_KEYS = "access_keys"
USER_MFA = "user_mfa"
LOGIN_PROFILES = "login_profiles"
SSH_KEYS = "ssh_keys"
SIGNING_CERTIFICATES = "signing_certificates"
TAGS = "tags"

AUTHORIZATION = (USERS, GROUPS, ROLES, POLICIES)
"""The four sections of GetAccountAuthorizationDetails."""

FAST_LANE = (
    *AUTHORIZATION,
    CREDENTIAL_REPORT,
    USER_LIST,
    ROLE_LIST,
    MFA_DEVICES,
    SERVICE_CREDENTIALS,
    INSTANCE_PROFILES,
    PROVIDERS,
    SERVER_CERTIFICATES,
    ACCOUNT,
    ORGANIZATION,
    ROOT_ACCESS,
    OUTBOUND_FEDERATION,
    DELEGATION_REQUESTS,
    INSTANCES,
    TRAILS,
    ROLES_ANYWHERE,
    POD_IDENTITIES,
)
"""Sections that every pull reads in bulk."""

DETAIL_LANE = (ACCESS_KEYS, USER_MFA, LOGIN_PROFILES, SSH_KEYS, SIGNING_CERTIFICATES, TAGS)
"""Sections that are read per entity, the most urgent first, with a limited number of calls per pull."""

ALL = FAST_LANE + DETAIL_LANE

LABELS = {
    USERS: "Users",
    GROUPS: "Groups",
    ROLES: "Roles",
    POLICIES: "Managed policies",
    CREDENTIAL_REPORT: "Credential report",
    USER_LIST: "Last sign-ins",
    ROLE_LIST: "Role settings",
    MFA_DEVICES: "Virtual MFA devices",
    SERVICE_CREDENTIALS: "Service-specific credentials",
    INSTANCE_PROFILES: "Instance profiles",
    PROVIDERS: "Identity providers",
    SERVER_CERTIFICATES: "Server certificates",
    ACCOUNT: "Account settings",
    ORGANIZATION: "Organization",
    ROOT_ACCESS: "Central root access",
    OUTBOUND_FEDERATION: "Outbound federation",
    DELEGATION_REQUESTS: "Delegation requests",
    INSTANCES: "EC2 instances",
    TRAILS: "CloudTrail trails",
    ROLES_ANYWHERE: "IAM Roles Anywhere",
    POD_IDENTITIES: "EKS pod identity associations",
    ACCESS_KEYS: "Access keys",
    USER_MFA: "Hardware MFA and security keys",
    LOGIN_PROFILES: "Console passwords",
    SSH_KEYS: "SSH keys",
    SIGNING_CERTIFICATES: "Signing certificates",
    TAGS: "Tags of policies, profiles, providers, devices, certificates",
}
"""The names of sections on pages."""

PERMISSIONS = {
    **dict.fromkeys(AUTHORIZATION, "authorization"),
    CREDENTIAL_REPORT: "credential-report",
    USER_LIST: "users",
    ROLE_LIST: "roles",
    MFA_DEVICES: "virtual-mfa-devices",
    SERVICE_CREDENTIALS: "service-credentials",
    INSTANCE_PROFILES: "instance-profiles",
    PROVIDERS: "saml-providers",
    SERVER_CERTIFICATES: "server-certificates",
    ACCOUNT: "account",
    ORGANIZATION: "organization",
    ROOT_ACCESS: "root-access",
    OUTBOUND_FEDERATION: "outbound-federation",
    DELEGATION_REQUESTS: "delegation-requests",
    INSTANCES: "instances",
    TRAILS: "trails",
    ROLES_ANYWHERE: "roles-anywhere",
    POD_IDENTITIES: "pod-identities",
    ACCESS_KEYS: "access-keys",
    USER_MFA: "mfa-devices",
    LOGIN_PROFILES: "login-profiles",
    SSH_KEYS: "ssh-keys",
    SIGNING_CERTIFICATES: "signing-certificates",
    TAGS: "tags",
}
"""Section → its name in `iam.aws.permissions.READ`."""

KINDS: dict[str, tuple[str, ...]] = {
    USERS: (Kind.USER,),
    GROUPS: (Kind.GROUP,),
    ROLES: (Kind.ROLE,),
    POLICIES: (Kind.POLICY,),
    MFA_DEVICES: (Kind.MFA_DEVICE,),
    SERVICE_CREDENTIALS: (Kind.SERVICE_CREDENTIAL,),
    INSTANCE_PROFILES: (Kind.INSTANCE_PROFILE,),
    PROVIDERS: (Kind.SAML_PROVIDER, Kind.OIDC_PROVIDER),
    SERVER_CERTIFICATES: (Kind.SERVER_CERTIFICATE,),
    ORGANIZATION: (Kind.ORG_ROOT, Kind.ORG_UNIT, Kind.ORG_ACCOUNT, Kind.SCP, Kind.RCP),
    DELEGATION_REQUESTS: (Kind.DELEGATION_REQUEST,),
    INSTANCES: (Kind.INSTANCE,),
    TRAILS: (Kind.TRAIL,),
    ROLES_ANYWHERE: (Kind.ANYWHERE_PROFILE, Kind.TRUST_ANCHOR),
    POD_IDENTITIES: (Kind.POD_IDENTITY,),
    ACCESS_KEYS: (Kind.ACCESS_KEY,),
    USER_MFA: (Kind.MFA_DEVICE,),
    SSH_KEYS: (Kind.SSH_KEY,),
    SIGNING_CERTIFICATES: (Kind.SIGNING_CERTIFICATE,),
}
"""Section → the kinds of entities that it adds and ends; sections that are missing here only add facts."""
