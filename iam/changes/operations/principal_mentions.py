"""Finds the policies and trust policies that contain a principal's ARN: they stay behind when it is deleted,
and stop matching when it is renamed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db.models import Q

from iam.mirror.models import Document, Entity, EntityState, InlinePolicy, Kind, PolicyVersion, valid_at
from iam.phrases import first_names

_BEGINNING: Final = "Named in the "


def notes_for_limited_reader(receipt: Mapping[str, Any]) -> list[str]:
    """The notes of a receipt for someone who does not see the whole account. They say that policies name the
    principal, but not which ones.
    """
    notes = receipt.get("effect", {}).get("notes", ())
    confidential = receipt.get("confidential", ())
    kept = [note for note in notes if note not in confidential]
    return [*kept, "Policies that you can’t see name it."] if confidential else kept


def named_by(principal: Entity) -> tuple[str, ...]:
    """Return sentences on what names the principal: in its own account by name, in other accounts by number;
    empty if nothing does.

    The texts are searched for the whole ARN as written in JSON, so matches by wildcard are not found.
    """
    texts = Document.objects.filter(text__contains=json.dumps(principal.arn)[1:-1] + '"')
    digests = list(texts.values_list("digest", flat=True))
    if not digests:
        return ()
    trusts = EntityState.objects.filter(valid_at(None), kind=Kind.ROLE, document__in=digests)
    own = Q(account=principal.account_id)
    sentences = [_policies(principal, digests)]
    roles = trusts.filter(own).exclude(entity=principal).order_by("sort_name").values_list("name", flat=True)
    sentences.append(_sentence(f"{_BEGINNING}trust policies of the roles", roles))
    if elsewhere := trusts.exclude(own).count():
        sentences.append(
            f"{_BEGINNING}trust policies of {elsewhere:,} role{'s' if elsewhere > 1 else ''} of "
            "other accounts."
        )
    return tuple(sentence for sentence in sentences if sentence)


def _policies(principal: Entity, digests: list[str]) -> str:
    """A sentence on the policies that contain the principal's ARN, except its own inline policies."""
    of_account = Q(valid_at(None), account=principal.account_id, document__in=digests)
    versions = PolicyVersion.objects.filter(of_account, is_default=True)
    names = set(versions.values_list("policy__name", flat=True))
    inline = InlinePolicy.objects.filter(of_account).exclude(owner=principal)
    for name, owner in inline.values_list("name", "owner__name"):
        names.add(f"{name} of {owner}")
    return _sentence(f"{_BEGINNING}policies", sorted(names, key=str.lower))


def _sentence(beginning: str, names: Iterable[str]) -> str:
    listed = list(names)
    if not listed:
        return ""
    return f"{beginning} {first_names(listed)}."
