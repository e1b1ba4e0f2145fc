"""An account of an index, stored between processes: its principals by column, their classes, and the
documents that distinguish the classes.

It consists of numbers and JSON, so reading it executes nothing. Only data written by the same code, with a
valid checksum, is read.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from array import array
from dataclasses import dataclass, fields
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from iam.policy.index.columns import IDS, NUMBERS, PackedTexts, PrincipalColumns, grants_in
from iam.policy.index.documents import IndexedDocument, SharedDocuments
from iam.policy.index.image_docs import Written, document_in, shape_in, small_in
from iam.policy.index.rows import AccountRows, GroupRow, OrganizationStanding, PolicyRow

FORMAT: Final = 1
DIGEST: Final = 16
LEVEL: Final = 1
"""The compression level. It gives a tenth of the size; higher levels are slower and save little."""


class ImageError(ValueError):
    """Raised for bytes that are damaged or were written by other code. Callers then rebuild the image from
    the tables.
    """


@dataclass(slots=True)
class IndexImage:
    """See `PrincipalColumns` for the columns. A document is referred to by its position in `digests`.

    `prefix` is removed from the `arns`. `policies` are number, name and digest; `groups` are number, name and
    grants. `small` are documents whose statements refer to a shape and list their resources. `shared`
    (numbers) and `trusting` (digests of trust policies) are complete documents, one text each in
    `shared_texts` and `trust_texts`, parsed only when needed and not in use already. A class is the number of
    its limits, then each document with the number of its marks. Limits are flags, boundary (-1 for none), and
    the marks of the boundary and the levels.
    """

    number: str
    partition: str
    prefix: str
    policies: Written
    groups: Written
    digests: list[str]
    shapes: Written
    small: Written
    shared: list[int]
    trusting: list[str]
    marks: Written
    limits: Written
    classes: Written
    ids: array[int]
    grants: array[int]
    tags: array[int]
    trusts: array[int]
    starts: array[int]
    arns: PackedTexts
    unique_ids: PackedTexts
    kinds_of_grants: PackedTexts
    kinds_of_tags: PackedTexts
    shared_texts: PackedTexts
    trust_texts: PackedTexts


ARRAYS: Final = ("grants", "tags", "trusts", "starts")
TEXTS: Final = ("arns", "unique_ids", "kinds_of_grants", "kinds_of_tags", "shared_texts", "trust_texts")
PLAIN: Final = tuple(field.name for field in fields(IndexImage) if field.name not in {"ids", *ARRAYS, *TEXTS})


@lru_cache(maxsize=1)
def code() -> str:
    """A digest of the code that assigns principals to classes. An image from different code is not used."""
    digest = blake2b(f"{FORMAT} {sys.byteorder} {sys.version_info[:2]}".encode(), digest_size=DIGEST)
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def pack(image: IndexImage) -> bytes:
    """Serialize an image."""
    plain = {name: getattr(image, name) for name in PLAIN}
    parts = [json.dumps(plain, separators=(",", ":")).encode(), image.ids.tobytes()]
    for name in ARRAYS:
        numbers: array[int] = getattr(image, name)
        parts.append(numbers.tobytes())
    for name in TEXTS:
        texts: PackedTexts = getattr(image, name)
        parts.append(texts.text.encode())
        parts.append(texts.ends.tobytes())
    sizes = struct.pack(f"<{len(parts)}Q", *map(len, parts))
    content = zlib.compress(sizes + b"".join(parts), LEVEL)
    body = code().encode() + content
    checksum = blake2b(body, digest_size=DIGEST).digest()
    return checksum + body


def is_whole(packed: bytes) -> bool:
    """True if the checksum of the bytes is correct."""
    return blake2b(packed[DIGEST:], digest_size=DIGEST).digest() == packed[:DIGEST]


def unpack(packed: bytes) -> IndexImage:
    """Deserialize an image. Raises ImageError."""
    body, own = packed[DIGEST:], code().encode()
    if not is_whole(packed):
        raise ImageError("the image is damaged")
    if not body.startswith(own):
        raise ImageError("the image was written by other code")
    try:
        return _unpacked(zlib.decompress(body[len(own) :]))
    except (ValueError, LookupError, TypeError, struct.error, zlib.error) as error:
        raise ImageError("the image has another form") from error


def _unpacked(content: bytes) -> IndexImage:
    count = 2 + len(ARRAYS) + 2 * len(TEXTS)
    place = struct.calcsize(f"<{count}Q")
    parts = []
    for size in struct.unpack_from(f"<{count}Q", content):
        parts.append(content[place : place + size])
        place += size
    if place != len(content):
        raise ValueError(place)
    columns: dict[str, Any] = {"ids": _array(IDS, parts[1])}
    for name, part in zip(ARRAYS, parts[2:], strict=False):
        columns[name] = _array(NUMBERS, part)
    rest = iter(parts[2 + len(ARRAYS) :])
    for name, text, ends in zip(TEXTS, rest, rest, strict=True):
        columns[name] = PackedTexts(text.decode(), _array(NUMBERS, ends))
    return IndexImage(**json.loads(parts[0]), **columns)


def _array(kind: str, content: bytes) -> array[int]:
    numbers = array(kind)
    numbers.frombytes(content)
    return numbers


def docs_in(image: IndexImage, documents: SharedDocuments) -> list[IndexedDocument]:
    """The documents that classes refer to, by number; None for all others. The list keeps them in use."""
    documents_of_image: list[Any] = [documents.find(digest) for digest in image.digests]
    shapes = [shape_in(shape, documents) for shape in image.shapes]
    for small in image.small:
        number = small[0]
        if documents_of_image[number] is None:
            documents_of_image[number] = small_in(image.digests[number], small, documents, shapes)
    for place, number in enumerate(image.shared):
        if documents_of_image[number] is None:
            document = document_in(json.loads(image.shared_texts[place]))
            documents_of_image[number] = documents.add_document(image.digests[number], document)
    return documents_of_image


def columns_of(image: IndexImage, documents: SharedDocuments) -> PrincipalColumns:
    """The principals of an image, by column."""
    digests, texts = image.trusting, image.trust_texts

    def trust(number: int) -> IndexedDocument:
        known = documents.find(digests[number])
        return (
            documents.add_document(digests[number], document_in(json.loads(texts[number])))
            if known is None
            else known
        )

    return PrincipalColumns(
        image.prefix,
        ids=image.ids,
        arns=image.arns,
        unique_ids=image.unique_ids,
        grants=image.grants,
        kinds_of_grants=image.kinds_of_grants,
        tags=image.tags,
        kinds_of_tags=image.kinds_of_tags,
        trusts=image.trusts,
        trust=trust,
        starts=image.starts,
        digests=image.digests,
    )


def rows_of(image: IndexImage, standing: OrganizationStanding) -> AccountRows:
    """The groups and policies of an image, for an account with this standing."""
    return AccountRows(
        (),
        [
            GroupRow(number, name, grants_in(policies_held, image.digests))
            for number, name, policies_held in image.groups
        ],
        [PolicyRow(*row) for row in image.policies],
        (),
        image.number,
        image.partition,
        standing,
    )
