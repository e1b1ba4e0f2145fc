#!/usr/bin/env python3
"""Verify an evidence pack of Gatehouse. Needs Python 3.9 or newer, no other packages and no network.

    python3 verify_evidence.py PACK.zip [--key NAME+ID+KEY]

Checks the SHA-256 of every file, the signature of the manifest, the hash chain of the journal excerpt and the
signature of the end of the chain. Without --key, the public key inside the pack is trusted and printed:
compare it with the published key. Prints a line for each file. The exit code is 0 if everything matches;
otherwise it is 1, and the last line names what doesn't match.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

MANIFEST = "manifest.json"
MANIFEST_NOTE = "manifest.note"
BLOCKS = "journal/blocks.jsonl"
ENTRIES = "journal/entries.jsonl"
CHECKPOINT = "journal/checkpoint.note"
SIGNED = (MANIFEST, MANIFEST_NOTE)
# What zipfile raises for a damaged ZIP. NotImplementedError occurs if a flipped bit selects an unknown
# compression method.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)

# Ed25519, RFC 8032, section 5.1. Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]
NEUTRAL: Point = (0, 1, 1, 0)


class WrongError(Exception):
    """Raised if something doesn't match. The message is a clause, such as "it is missing"."""


def add(left: Point, right: Point) -> Point:
    """Return the sum of two points."""
    a = (left[1] - left[0]) * (right[1] - right[0]) % P
    b = (left[1] + left[0]) * (right[1] + right[0]) % P
    c = 2 * left[3] * right[3] * D % P
    d = 2 * left[2] * right[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number: int, point: Point) -> Point:
    """Return a multiple of a point."""
    total = NEUTRAL
    while number:
        if number & 1:
            total = add(total, point)
        point = add(point, point)
        number >>= 1
    return total


def point_of(encoded: bytes) -> Point | None:
    """Decode a point from 32 bytes; None if they don't encode one."""
    y = int.from_bytes(encoded, "little")
    sign = y >> 255
    y &= (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = point_of(BASE_Y.to_bytes(32, "little")) or NEUTRAL


def is_signed(public: bytes, text: bytes, signature: bytes) -> bool:
    """True if the signature of the text was made with the private key of `public`."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, half = point_of(public), point_of(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or half is None or s >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + text).digest()
    left = times(s, BASE)
    right = add(half, times(int.from_bytes(digest, "little") % ORDER, key))
    same_x = (left[0] * right[2] - right[0] * left[2]) % P == 0
    return same_x and (left[1] * right[2] - right[1] * left[2]) % P == 0


def key_of(text: str) -> tuple[str, bytes, bytes]:
    """Parse a public key in the form NAME+ID+KEY of https://c2sp.org/signed-note. Returns name, ID and the 32
    bytes of the key. Raises WrongError if it is malformed.
    """
    name, _, rest = text.strip().partition("+")
    digits, _, encoded = rest.partition("+")
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        key = b""
    ident = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    if not name or len(key) != 33 or key[:1] != b"\x01" or ident.hex() != digits:
        raise WrongError("the public key isn’t in the form NAME+ID+KEY")
    return name, ident, key[1:]


def note_text(note: str, key: str) -> str:
    """Return the text of a signed note after verifying its signature by the key. Raises WrongError."""
    name, ident, public = key_of(key)
    text, blank, below = note.rpartition("\n\n")
    text += "\n"
    if not blank or not below.endswith("\n") or re.search("[\x00-\x09\x0b-\x1f]", note):
        raise WrongError("it isn’t a signed note")
    is_known = False
    for line in below[:-1].split("\n"):
        match = re.fullmatch("— ([^\\s+]+) ([A-Za-z0-9+/]+={0,2})", line)
        if match is None:
            raise WrongError("a line of signature is malformed")
        try:
            signature = base64.b64decode(match.group(2), validate=True)
        except ValueError:
            raise WrongError("a signature isn’t base64") from None
        if base64.b64encode(signature).decode() != match.group(2) or len(signature) < 5:
            raise WrongError("a signature is malformed")
        if match.group(1) != name or signature[:4] != ident:
            continue
        if not is_signed(public, text.encode(), signature[4:]):
            raise WrongError("the signature doesn’t fit")
        is_known = True
    if not is_known:
        raise WrongError("it isn’t signed by the key " + key)
    return text


class PackArchive:
    """The files of a pack."""

    def __init__(self, path: str) -> None:
        self.zip = zipfile.ZipFile(path)
        self.names = [info.filename for info in self.zip.infolist()]

    def digest(self, name: str) -> tuple[str, int]:
        """Return the SHA-256 (hex) and the length of a file."""
        total, size = hashlib.sha256(), 0
        with self.zip.open(name) as file:
            while True:
                part = file.read(1 << 20)
                if not part:
                    return total.hexdigest(), size
                total.update(part)
                size += len(part)

    def text(self, name: str) -> str:
        """Return the content of a short file."""
        return self.zip.read(name).decode("utf-8")

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield the JSON objects of a file that has one on each line. Raises WrongError for any
        other value.
        """
        with self.zip.open(name) as file:
            for line in file:
                value = json.loads(line)
                if not isinstance(value, dict):
                    raise WrongError("a line isn’t a JSON object")
                yield value


def sha256(text: str) -> str:
    """Return the SHA-256 of a text in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def check_manifest(pack: PackArchive, pinned: str) -> tuple[dict[str, Any], str, dict[str, str]]:
    """Return the manifest, the key to verify with, and the problem of the manifest and of its signature, by
    file name; "" if there is none.
    """
    raw = pack.zip.read(MANIFEST)
    manifest = json.loads(raw)
    key = pinned or str(manifest["key"])
    results = {MANIFEST: "", MANIFEST_NOTE: ""}
    stated = "sha256 " + hashlib.sha256(raw).hexdigest()
    note = ""
    try:
        note = pack.text(MANIFEST_NOTE)
        if not note_text(note, key).split("\n")[0].endswith("/evidence"):
            raise WrongError("it is the signature of something else")
    except (*BROKEN, KeyError, WrongError) as error:
        results[MANIFEST_NOTE] = str(error)
    if stated not in note.split("\n"):
        results[MANIFEST] = "its SHA-256 isn’t the one that was signed"
    return manifest, key, results


def check_files(pack: PackArchive, manifest: dict[str, Any]) -> dict[str, str]:
    """Return the problem of each file by name; "" if there is none."""
    results: dict[str, str] = {}
    listed = {str(file["path"]): file for file in manifest["files"]}
    for name, file in listed.items():
        if name not in pack.names:
            results[name] = "it is missing"
            continue
        try:
            digest, size = pack.digest(name)
        except BROKEN as error:
            results[name] = "it can’t be read: " + str(error)
            continue
        is_same = digest == file["sha256"] and size == file["bytes"]
        results[name] = "" if is_same else "its SHA-256 isn’t that of the manifest"
    for name in pack.names:
        if name not in listed and name not in SIGNED:
            results[name] = "the manifest doesn’t list it"
        elif pack.names.count(name) > 1:
            results[name] = "the pack has it twice"
    return results


def hashes_by_block(pack: PackArchive) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each block with the hashes of its entries. The hash of each entry with text is
    recomputed. Raises WrongError for a changed or missing entry.
    """
    number: int | None = None
    hashes: list[str] = []
    for line in pack.lines(ENTRIES):
        block, digest = int(line["block"]), str(line["hash"])
        if line.get("canonical") is not None and sha256(str(line["canonical"])) != digest:
            raise WrongError(f"an entry of block {block} was changed")
        if number is not None and block != number:
            yield number, hashes
            hashes = []
        number = block
        if int(line["position"]) != len(hashes):
            raise WrongError(f"an entry of block {block} is missing or in another place")
        hashes.append(digest)
    if number is not None:
        yield number, hashes


def check_chain(pack: PackArchive) -> tuple[int, str]:
    """Return the number and hash of the last block after recomputing each block. Raises WrongError if the
    chain is broken.
    """
    entries = hashes_by_block(pack)
    number, hashes = next(entries, (None, []))
    previous: dict[str, Any] | None = None
    for block in pack.lines(BLOCKS):
        sequence = int(block["sequence"])
        mine: list[str] = []
        if number == sequence:
            mine = hashes
            number, hashes = next(entries, (None, []))
        header = {
            name: block[name] for name in ("sequence", "previous", "made_at", "count", "total", "highest")
        }
        text = "\n".join([json.dumps(header, sort_keys=True, separators=(",", ":")), *mine])
        if block["count"] != len(mine) or sha256(text) != block["hash"]:
            raise WrongError(f"block {sequence} or its entries were changed")
        if previous is not None:
            if sequence != previous["sequence"] + 1 or block["previous"] != previous["hash"]:
                raise WrongError(f"block {sequence} doesn’t continue the block before it")
            if block["total"] != previous["total"] + block["count"]:
                raise WrongError(f"block {sequence} counts the entries before it wrongly")
        previous = block
    if number is not None:
        raise WrongError(f"there are entries of block {number}, which isn’t there")
    if previous is None:
        raise WrongError("it has no blocks")
    return int(previous["sequence"]), str(previous["hash"])


def check_journal(pack: PackArchive, key: str) -> None:
    """Verify the chain of the excerpt and the signature of its end. Raises WrongError."""
    sequence, digest = check_chain(pack)
    lines = note_text(pack.text(CHECKPOINT), key).split("\n")
    ends = (str(sequence), base64.b64encode(bytes.fromhex(digest)).decode())
    if not lines[0].endswith("/journal") or tuple(lines[1:3]) != ends:
        raise WrongError("the signed end of the chain is another one")


def verify(path: str, pinned: str = "") -> tuple[list[str], set[str]]:
    """Verify a pack. Returns the lines to print, and the names of what doesn't match."""
    try:
        pack = PackArchive(path)
    except BROKEN as error:
        return [f"WRONG  {path}: it can’t be read: {error}"], {path}
    try:
        manifest, key, results = check_manifest(pack, pinned)
        results.update(check_files(pack, manifest))
    except (*BROKEN, KeyError, TypeError, AttributeError) as error:
        return [f"WRONG  {MANIFEST}: it can’t be read: {error}"], {MANIFEST}
    if ENTRIES in results:
        try:
            results["journal chain"] = ""
            check_journal(pack, key)
        except (*BROKEN, KeyError, TypeError, AttributeError, WrongError) as error:
            results["journal chain"] = str(error)
    lines = []
    for name, problem in sorted(results.items()):
        line = f"WRONG  {name}: {problem}" if problem else f"ok     {name}"
        lines.append(line)
    whose = "you gave this key"
    if not pinned:
        whose = "this key is inside the pack: compare it with the published one"
    lines.append(f"Signed by {key}\n({whose})")
    return lines, {name for name, problem in results.items() if problem}


def main() -> int:
    """Verify the pack that the command line names. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Verify an evidence pack of Gatehouse.")
    parser.add_argument("pack", help="the ZIP file")
    parser.add_argument("--key", default="", help="the published public key, NAME+ID+KEY")
    options = parser.parse_args()
    lines, wrong = verify(options.pack, options.key)
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.stdout.write("\n".join(lines) + "\n")
    if wrong:
        sys.stdout.write(f"Doesn’t match: {', '.join(sorted(wrong))}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
