"""The texts of an examination: the titles of the sections, and the meaning of AWS's refusals."""

from __future__ import annotations

from iam.aws.errors import AwsError, ErrorKind

READS = {
    "authorization": "Users, groups, roles and policies",
    "users": "Last sign-ins",
    "roles": "Role settings",
    "credential-report": "Credential report (passwords, keys, MFA)",
    "virtual-mfa-devices": "Virtual MFA devices",
    "service-credentials": "Service-specific credentials",
    "instance-profiles": "Instance profiles",
    "server-certificates": "Server certificates",
    "saml-providers": "SAML providers",
    "oidc-providers": "OpenID Connect providers",
    "account": "Account settings",
    "access-keys": "Access keys and last use",
    "mfa-devices": "Hardware MFA and security keys",
    "ssh-keys": "SSH keys",
    "signing-certificates": "Signing certificates",
    "login-profiles": "Console passwords",
    "tags": "Tags",
    "re-read": "Single entities, after a change",
    "organization": "Organization, SCPs and RCPs",
    "root-access": "Central management of root access",
    "outbound-federation": "Outbound federation",
    "delegation-requests": "Delegation requests",
    "instances": "EC2 instances",
    "trails": "CloudTrail trails",
    "roles-anywhere": "IAM Roles Anywhere profiles and trust anchors",
    "pod-identities": "EKS pod identity associations",
    "services-last-accessed": "When services were last used, where no trail is known",
    "trail-events": "CloudTrail events without a trail, and keys of digest files",
}
"""The title of each key in `iam.aws.permissions.READ`."""

_SKEW = (
    "signature expired",
    "not yet current",
    "requesttimetooskewed",
    "requestexpired",
    "request has expired",
)


def is_clock_skew(error: AwsError) -> bool:
    """Return True if AWS rejected the signature because of its time."""
    text = f"{error.code} {error.message}".lower()
    return error.kind is ErrorKind.CREDENTIALS and any(word in text for word in _SKEW)


def no_credentials(error: AwsError) -> str:
    """Return what is wrong with the worker's own credentials, and how to fix it."""
    if is_clock_skew(error):
        return (
            "The worker’s clock differs from AWS’s by more than five minutes, so AWS rejects every "
            "signature. "
            "Synchronize the clock of this machine (NTP)."
        )
    if error.kind in {ErrorKind.UNAVAILABLE, ErrorKind.TIMEOUT}:
        return (
            f"The worker can’t reach AWS: {error.message} Check its network, its proxy and, if set, "
            "AWS_ENDPOINT_URL."
        )
    if not error.request_id:
        return (
            f"The worker has no credentials: {error.message}. Give it an instance profile, a task role, or "
            "AWS_ environment variables."
        )
    return f"AWS rejected the worker’s credentials: {error.message}"


def no_role(error: AwsError, *, role_arn: str, principal: str, has_external_id: bool) -> str:
    """Return why a role could not be assumed, as far as that is known: AWS never tells which side
    denies it.
    """
    if error.kind is not ErrorKind.DENIED:
        return no_credentials(error)
    who = principal or "the worker"
    external = (
        "its trust policy requires a different external ID than the one in Gatehouse"
        if has_external_id
        else "its trust policy requires an external ID, and Gatehouse has none"
    )
    return "\n".join(
        (
            f"AWS doesn’t let {who} assume {role_arn}. It doesn’t say which of these is the reason:",
            "– the role doesn’t exist;",
            f"– its trust policy does not name {who};",
            f"– {external};",
            f"– the policies of {who} do not allow sts:AssumeRole on it.",
        )
    )
