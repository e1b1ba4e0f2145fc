"""Cases of `read-secrets-on-everything`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from iam.audit.findings.rules.read_secrets_on_everything import ReadSecretsOnEverything
from tests.iam.audit.findings.rules.site import (
    CONDITIONAL,
    FALSE,
    FULL,
    MFA,
    NUMBER,
    TRUE,
    Site,
    allow,
    answer_of,
    cases_of,
)

READ = "secretsmanager:GetSecretValue"
DECRYPT = "kms:Decrypt"
SECRETS = f"arn:aws:secretsmanager:*:{NUMBER}:secret:"
PARAMETERS = f"arn:aws:ssm:*:{NUMBER}:parameter"
TAGGED = {"StringEquals": {"secretsmanager:ResourceTag/team": "pay"}}
THROUGH_SSM = {"StringLike": {"kms:ViaService": "ssm.*.amazonaws.com"}}
THROUGH_S3 = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
BY_ALIAS = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/pay"}}
BY_CONTEXT = {"StringEquals": {"kms:EncryptionContext:application": "pay"}}


def held(*statements: Any) -> Callable[[Site], object]:
    return lambda site: site.policy("P", *statements, to=(site.user(),))


def by_two_policies(site: Site) -> None:
    role = site.role()
    site.inlined(role, "Parameters", allow("ssm:Get*", f"{PARAMETERS}/*"))
    site.inlined(role, "Key", allow(DECRYPT, Condition=THROUGH_SSM))


def bounded(site: Site) -> None:
    user = site.user()
    site.policy("P", allow(READ), to=(user,))
    site.bounds[user] = site.policy("B", allow("s3:*"))


def without_keys(site: Site) -> None:
    site.policy("P", allow("ssm:GetParameter*"), to=(site.user(),))
    site.scp(FULL, {"Effect": "Deny", "Action": DECRYPT, "Resource": "*"})


CASES = {
    "every secret": (held(allow(READ)), TRUE),
    "every secret, by a pattern": (held(allow("secretsmanager:Get*", f"{SECRETS}*")), TRUE),
    "every secret, with six more letters": (held(allow(READ, f"{SECRETS}*-??????")), TRUE),
    "every action of Secrets Manager": (held(allow("secretsmanager:*")), TRUE),
    "every secret, with MFA": (held(allow(READ, Condition=MFA)), CONDITIONAL),
    "secrets with a tag": (held(allow(READ, Condition=TAGGED)), FALSE),
    "secrets by a prefix": (held(allow(READ, f"{SECRETS}pay/*")), FALSE),
    "one secret": (held(allow(READ, f"{SECRETS}pay-AbCdEf")), FALSE),
    "only lists": (
        held(allow(["secretsmanager:ListSecrets", "secretsmanager:Describe*", "secretsmanager:GetRandom*"])),
        FALSE,
    ),
    "denied": (held(allow(READ), {"Effect": "Deny", "Action": READ, "Resource": "*"}), FALSE),
    "a boundary leaves it out": (bounded, FALSE),
    "unattached": (lambda site: site.policy("P", allow(READ)), FALSE),
    "everything is another kind": (held(FULL), FALSE),
    "every key, whose policies are not synced": (held(allow(DECRYPT)), CONDITIONAL),
    "every key of the account": (held(allow("kms:D*", f"arn:aws:kms:*:{NUMBER}:key/*")), CONDITIONAL),
    "full access to KMS is another kind": (held(allow("kms:*")), FALSE),
    "one key": (held(allow(DECRYPT, f"arn:aws:kms:us-east-1:{NUMBER}:key/11111111")), FALSE),
    "keys with an alias": (held(allow(DECRYPT, Condition=BY_ALIAS)), FALSE),
    "through one service": (held(allow(DECRYPT, Condition=THROUGH_S3)), FALSE),
    "of one encryption context": (held(allow(DECRYPT, Condition=BY_CONTEXT)), FALSE),
    "only the list of keys": (held(allow(["kms:List*", "kms:DescribeKey"])), FALSE),
    "every parameter, with every key": (held(allow(["ssm:GetParameter*", DECRYPT])), CONDITIONAL),
    "every parameter, with every key through Systems Manager": (
        held(allow("ssm:GetParameters"), allow(DECRYPT, Condition=THROUGH_SSM)),
        CONDITIONAL,
    ),
    "by two policies": (by_two_policies, CONDITIONAL),
    "every parameter, with the default key": (held(allow("ssm:GetParameter*")), CONDITIONAL),
    "every parameter, with keys of another service too": (
        held(allow("ssm:GetParameter*"), allow(DECRYPT, Condition=THROUGH_S3)),
        CONDITIONAL,
    ),
    "every parameter, with decryption denied": (
        held(allow("ssm:GetParameter*"), {"Effect": "Deny", "Action": "kms:*", "Resource": "*"}),
        FALSE,
    ),
    "every parameter, with decryption denied by an SCP": (without_keys, FALSE),
    "only what parameters are there": (held(allow("ssm:DescribeParameters")), FALSE),
    "parameters by a prefix, with every key through Systems Manager": (
        held(allow("ssm:GetParameter*", f"{PARAMETERS}/pay/*"), allow(DECRYPT, Condition=THROUGH_SSM)),
        FALSE,
    ),
}
test_cases = cases_of(ReadSecretsOnEverything(), CASES)


def test_a_certain_action_makes_the_finding_certain() -> None:
    answer, computed = answer_of(ReadSecretsOnEverything(), held(allow([DECRYPT, READ])))
    assert answer == TRUE
    (finding,) = computed.findings.values()
    assert finding.values["evidence"]["actions"] == [READ, DECRYPT]
