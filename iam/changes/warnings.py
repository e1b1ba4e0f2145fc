"""Collects the warnings that approvers accept: those of the requester, of the kind of request, and of its
receipts.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final

from iam.changes.models import Change, ChangeSet
from iam.changes.operations import Operation
from iam.changes.operations.principal_mentions import notes_for_limited_reader
from iam.changes.summary import where_words
from iam.mirror.models import AccountFact, valid_at

_BUCKET: Final = re.compile(r"arn:aws[a-z-]*:s3:::([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?=[/\"*]|$)")
_WRITES_TEXT: Final = ("policy.create", "inline_policy.put", "policy.create_version")
_RECIPIENT: Final = re.compile(r"Only (.+?) can read ")
"""How the notes of operations that create a password or secret name its only reader."""
NAMED: Final = 3
LONG: Final = 320
SHORT: Final = 240


@dataclass(frozen=True, slots=True)
class AcceptedWarning:
    """One sentence to accept.

    `about` names the changes it concerns; empty for the whole request. `is_note` marks information rather
    than a danger. `alike` lists others with the same sentence, with their names in place of the first.
    """

    text: str
    about: tuple[str, ...] = ()
    is_note: bool = False
    alike: tuple[str, ...] = ()

    @property
    def preview_text(self) -> str:
        """The part of a sentence with very many names that is shown at first; "" if that is all of it."""
        if len(self.text) <= LONG:
            return ""
        shown, comma, _ = self.text[:SHORT].rpartition(", ")
        return shown if comma else self.text[:SHORT]

    @property
    def first_alike(self) -> tuple[str, ...]:
        """The entries of `alike` that are shown at first."""
        return self.alike[:NAMED]

    @property
    def more_alike(self) -> tuple[str, ...]:
        """The entries of `alike` that are shown on demand."""
        return self.alike[NAMED:]

    @property
    def full_text(self) -> str:
        """The sentence with what it concerns, for mails."""
        if self.alike:
            more = f" and {len(self.more_alike):,} more" if self.more_alike else ""
            return f"{self.text} The same for {', '.join(self.first_alike)}{more}."
        if not self.about:
            return self.text
        more = f" and {len(self.about) - NAMED} more" if len(self.about) > NAMED else ""
        return f"{self.text} ({'; '.join(self.about[:NAMED])}{more})"


def general_warnings(operations: Sequence[Operation]) -> list[str]:
    """Warnings that follow from the accounts and resources that the operations name. One query."""
    return [*_management(operations), *_same_bucket(operations)]


def warnings_of(
    change_set: ChangeSet, *, parts: Iterable[Change], is_limited: bool = False
) -> list[AcceptedWarning]:
    """All warnings of a set: its own, then those of its changes' receipts.

    `is_limited` is for readers who don't see the accounts whole.
    """
    receipts = [(part.title, part.subject_arn.rpartition("/")[2], part.receipt) for part in parts]
    broken = broken_assertions(change_set.receipt.get("impact"))
    return merged([*broken, *change_set.notes], receipts, is_limited=is_limited)


def broken_assertions(impact: Mapping[str, Any] | None) -> list[str]:
    """A sentence for each assertion that a request breaks, without names, so that everyone can read it."""
    names = dict.fromkeys(broken["name"] for broken in (impact or {}).get("assertions", ()))
    return [f"This request breaks the assertion “{name}”." for name in names]


def merged(
    notes: Iterable[str], receipts: Iterable[tuple[str, str, Mapping[str, Any]]], *, is_limited: bool = False
) -> list[AcceptedWarning]:
    """The notes and the receipts' warnings without duplicates, also if only the name in them differs.

    `receipts` are titles, names of subjects, and bodies.
    """
    subjects: dict[str, str] = {}
    grave: dict[str, list[str]] = defaultdict(list)
    others: dict[str, list[str]] = defaultdict(list)
    for title, subject, receipt in receipts:
        for sentence in _of_receipt(receipt):
            grave[sentence].append(title)
            subjects.setdefault(sentence, subject)
        told_notes = receipt.get("effect", {}).get("notes", ())
        for sentence in notes_for_limited_reader(receipt) if is_limited else told_notes:
            others[sentence].append(title)
            recipient = _RECIPIENT.match(sentence)
            name = recipient[1] if recipient else subject
            subjects.setdefault(sentence, name)
    own = dict.fromkeys(notes)
    of_receipts = [
        *(AcceptedWarning(text, tuple(about)) for text, about in grave.items() if text not in own),
        *(
            AcceptedWarning(text, tuple(about), is_note=True)
            for text, about in others.items()
            if text not in own
        ),
    ]
    return [*(AcceptedWarning(note) for note in own), *_joined_warnings(of_receipts, subjects)]


def _joined_warnings(
    warnings: Iterable[AcceptedWarning], subjects: Mapping[str, str]
) -> Iterator[AcceptedWarning]:
    """Merge warnings that differ only in the name of the subject or recipient."""
    groups: dict[tuple[str, bool], list[AcceptedWarning]] = defaultdict(list)
    for warning in warnings:
        sentence = _without_name(warning.text, subjects[warning.text])
        groups[sentence, warning.is_note].append(warning)
    for group in groups.values():
        first, *others = group
        about = chain.from_iterable(warning.about for warning in group)
        names = [subjects[warning.text] for warning in others]
        # Several accounts have the same change under one title.
        yield replace(first, about=tuple(dict.fromkeys(about)), alike=tuple(dict.fromkeys(names)))


def _without_name(sentence: str, name: str) -> str:
    """The sentence with a placeholder for the name, if it occurs as a word."""
    return re.sub(rf"(?<![\w.@+=-]){re.escape(name)}(?![\w@+=-]|\.\w)", "\0", sentence) if name else sentence


def _of_receipt(receipt: Mapping[str, Any]) -> Iterator[str]:
    if irreversible := receipt.get("irreversible"):
        alternative = f" {receipt['instead']}" if receipt.get("instead") else ""
        yield f"This can’t be undone. {irreversible}{alternative}"
    if managed := receipt.get("managed"):
        name = managed["arn"].rpartition("/")[2] or managed["arn"]
        tool = managed["tool"]
        yield f"{tool} manages {name}: {managed['evidence']}. Change it there too, or {tool} reverts this."


def _management(operations: Sequence[Operation]) -> Iterator[str]:
    accounts = {operation.account.account_id: operation.account.name for operation in operations}
    facts = AccountFact.objects.filter(
        valid_at(None), name="organization", account__account_id__in=accounts
    ).values_list("account__account_id", "value")
    names = [
        accounts[number] for number, value in facts if (value or {}).get("ManagementAccountId") == number
    ]
    for name in sorted(names):
        yield (
            f"{name} is the management account of its organization: service control policies don’t limit "
            "anyone there."
        )


def _same_bucket(operations: Sequence[Operation]) -> Iterator[str]:
    """A warning if a bucket is named in several accounts: it exists in only one, so the policy alone gives
    nothing in the others.
    """
    places: dict[str, dict[str, None]] = defaultdict(dict)
    for operation in operations:
        if operation.slug not in _WRITES_TEXT:
            continue
        for bucket in _BUCKET.findall(json.dumps(operation.params).replace("\\", "")):
            places[bucket][operation.account.name] = None
    for bucket, names in sorted(places.items()):
        if len(names) > 1:
            yield (
                f"The S3 bucket {bucket} is requested in {len(names)} accounts: {where_words(list(names))}. "
                "A bucket belongs to one account; "
                "in the others this works only if the bucket’s own policy allows it."
            )
