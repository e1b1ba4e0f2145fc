"""Makes the image of an account from the account in an index."""

from __future__ import annotations

import json
from array import array
from collections.abc import Hashable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any

from iam.policy.index.classes import IndexedPrincipal, PrincipalClass, PrincipalLimits
from iam.policy.index.columns import IDS, NUMBERS, PackedTexts
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.image import IndexImage
from iam.policy.index.image_docs import Written, shape_written, small_written, written
from iam.policy.index.rows import PolicyHoldings
from iam.policy.index.shard import AccountShard

NUMBER = attrgetter("id")


def image_of(shard: AccountShard) -> IndexImage:
    """Create the image. The same rows always give the same image."""
    return _Parts(shard).image()


class _Numbers:
    """Numbers things in the order of first use."""

    def __init__(self) -> None:
        self._found: dict[Any, int] = {}

    def number_of(self, thing: Hashable) -> int:
        """The number of a thing."""
        return self._found.setdefault(thing, len(self._found))

    def all_of(self, things: Iterable[Hashable]) -> array[int]:
        """The numbers of several things."""
        return array(NUMBERS, [self.number_of(thing) for thing in things])

    def __iter__(self) -> Iterator[Any]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


class _Parts:
    """Collects the parts of an image."""

    def __init__(self, shard: AccountShard) -> None:
        self._shard = shard
        self._digests, self._shapes, self._limits = _Numbers(), _Numbers(), _Numbers()
        self._marks, self._trusting = _Numbers(), _Numbers()
        self._held: dict[int, IndexedDocument] = {}

    def image(self) -> IndexImage:
        """Create the complete image."""
        shard = self._shard
        classes = sorted(shard.classes.values(), key=lambda cls: min(map(NUMBER, cls.members)))
        described = [self._class(cls) for cls in classes]
        bounds = [self._bounds(limits) for limits in self._limits]
        members: list[IndexedPrincipal] = []
        starts = array(NUMBERS, [0])
        is_usual = all(member.arn.startswith(shard.prefix) for member in shard.members.values())
        prefix = shard.prefix if is_usual else ""
        for cls in classes:
            members += sorted(cls.members, key=NUMBER)
            starts.append(len(members))
        grants, tags = _Numbers(), _Numbers()
        of_members: dict[str, Any] = {
            "ids": array(IDS, map(NUMBER, members)),
            "grants": grants.all_of(member.grants for member in members),
            "tags": tags.all_of(_text(member.tags) for member in members),
            # 0 means none.
            "trusts": array(NUMBERS, [self._trust(member.trust) for member in members]),
            "arns": PackedTexts.of(member.arn.removeprefix(prefix) for member in members),
            "unique_ids": PackedTexts.of(member.unique_id for member in members),
        }
        attached = {policy.digest for policy in shard.policies.values()}
        shared = {number: doc for number, doc in self._held.items() if doc.digest in attached}
        small = [
            [number, *small_written(doc, self._shapes.number_of)]
            for number, doc in self._held.items()
            if number not in shared
        ]
        kinds_of_grants = PackedTexts.of(_text(self._grants(each)) for each in grants)
        return IndexImage(
            number=shard.number,
            partition=shard.partition,
            prefix=prefix,
            policies=[[row.id, row.name, row.digest] for row in sorted(shard.policies.values(), key=NUMBER)],
            groups=[
                [row.id, row.name, self._grants(row.grants)]
                for row in sorted(shard.groups.values(), key=NUMBER)
            ],
            digests=list(self._digests),
            shapes=[shape_written(shape) for shape in self._shapes],
            small=small,
            shared=list(shared),
            trusting=[doc.digest for doc in self._trusting],
            marks=list(self._marks),
            limits=bounds,
            classes=described,
            starts=starts,
            kinds_of_grants=kinds_of_grants,
            kinds_of_tags=PackedTexts.of(tags),
            shared_texts=PackedTexts.of(_text(written(doc)) for doc in shared.values()),
            trust_texts=PackedTexts.of(_text(written(doc)) for doc in self._trusting),
            **of_members,
        )

    def _class(self, cls: PrincipalClass) -> Written:
        profile = cls.profile
        written: Written = [self._limits.number_of(profile.limits)]
        marks = {marked.doc: marked.marks for marked in profile.marked}
        for doc in sorted(profile.bundle.docs, key=attrgetter("digest")):
            written += [self._doc(doc), self._marks.number_of(marks.get(doc, ()))]
        return written

    def _bounds(self, limits: PrincipalLimits) -> Written:
        boundary = -1 if limits.boundary is None else self._doc(limits.boundary)
        marks = [self._marks.number_of(marks) for marks in (limits.boundary_marks, *limits.level_marks)]
        return [*limits.flags, boundary, *marks]

    def _doc(self, doc: IndexedDocument) -> int:
        number = self._digests.number_of(doc.digest)
        self._held[number] = doc
        return number

    def _trust(self, doc: IndexedDocument | None) -> int:
        return 0 if doc is None else self._trusting.number_of(doc) + 1

    def _grants(self, grants: PolicyHoldings) -> Written:
        inline = [[name, self._digests.number_of(digest)] for name, digest in grants.inline]
        return [inline, grants.attached, grants.groups, grants.boundary]


def _text(written: Written | Mapping[str, str] | None) -> str:
    return json.dumps(written, separators=(",", ":"))
