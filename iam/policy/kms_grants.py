"""Grants of AWS KMS, which allow operations on a key in addition to policies. The mirror doesn't read them.

Source: "Grants in AWS KMS", grant operations,
https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
"""

from __future__ import annotations

from typing import Final

GRANTABLE: Final = frozenset(
    {
        "kms:creategrant",
        "kms:decrypt",
        "kms:derivesharedsecret",
        "kms:describekey",
        "kms:encrypt",
        "kms:generatedatakey",
        "kms:generatedatakeypair",
        "kms:generatedatakeypairwithoutplaintext",
        "kms:generatedatakeywithoutplaintext",
        "kms:generatemac",
        "kms:getpublickey",
        "kms:reencryptfrom",
        "kms:reencryptto",
        "kms:retiregrant",
        "kms:sign",
        "kms:verify",
        "kms:verifymac",
    }
)
"""Actions, in lower case, that a grant can allow."""
NOT_READ: Final = "KMS grants aren’t synced. A grant can allow this in addition to policies."
