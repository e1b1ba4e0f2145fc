"""Someone can read every secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from iam.audit.findings.effect import able
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.wide_actions import REGION_FIELD, WideAction, WideActionRule, remove_wide_actions

KEY_POLICIES: Final = "key policies aren’t synced"
ENTRY: Final = "secretsmanager:{region}:{account}:secret:gatehouse-any-secret-AbCdEf"
KEY: Final = "kms:{region}:{account}:key/00000000-0000-0000-0000-000000000000"
PARAMETER: Final = "ssm:{region}:{account}:parameter/gatehouse-any-parameter"
CHOSEN_KEYS: Final = ("kms:viaservice", "kms:encryptioncontext:", "kms:resourcealiases", "kms:requestalias")
DECRYPT: Final = WideAction("kms:Decrypt", KEY, CHOSEN_KEYS, KEY_POLICIES)
DEFAULT_KEY: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"],
                "Resource": "*",
            }
        ],
    }
)
"""What the key aws/ssm allows to everyone in the account, through Systems Manager. Parameters have this key
unless someone chose another. Source: "Restricting decryption of SecureString parameter values" of Systems
Manager.
"""
PARAMETER_READS: Final = (
    WideAction("ssm:GetParameter", PARAMETER, reason=KEY_POLICIES),
    WideAction("ssm:GetParameters", PARAMETER, reason=KEY_POLICIES),
    WideAction("ssm:GetParametersByPath", PARAMETER, reason=KEY_POLICIES),
    WideAction("ssm:GetParameterHistory", PARAMETER, reason=KEY_POLICIES),
)
ACTIONS: Final = (
    WideAction("secretsmanager:GetSecretValue", ENTRY, ("secretsmanager:secretid", "secretsmanager:name")),
    DECRYPT,
    *PARAMETER_READS,
)


class ReadSecretsOnEverything(WideActionRule):
    """Covers the secrets of Secrets Manager, decryption with every KMS key, and the parameters of Systems
    Manager. The default key of parameters lets everyone in the account decrypt who isn’t denied it.

    Decryption through one service, by an encryption context or by an alias is left out. Sources: "Actions,
    resources, and condition keys" of the three services, and "AWS KMS encryption for AWS Systems Manager
    Parameter Store SecureString parameters".
    """

    kind = "read-secrets-on-everything"
    severity = FindingSeverity.MEDIUM
    title = "Every secret can be read"
    sentence = "A policy allows reading every secret or parameter, or decrypting with every KMS key."
    risk = "Anyone who has it, or takes it over, gets the passwords and keys of every application."
    remedy = "Name the secrets, parameters or keys in Resource, or add a condition on their tags."
    fix_request = FixRequest("Remove actions", remove_wide_actions(ACTIONS))
    actions = ACTIONS

    def able_to(self, wide: WideAction, resource: str, facts: AccountFacts) -> Mapping[int, bool]:
        answer = super().able_to(wide, resource, facts)
        if wide not in PARAMETER_READS:
            return answer
        region = resource.split(":")[REGION_FIELD]
        key = DECRYPT.example(facts.partition, region, facts.number)
        through = ("kms:ViaService", (f"ssm.{region}.amazonaws.com",))
        decrypts = able(facts, DECRYPT.action, key, context=(through,), resource_policy=DEFAULT_KEY)
        return {number: answer[number] and decrypts[number] for number in answer.keys() & decrypts.keys()}
