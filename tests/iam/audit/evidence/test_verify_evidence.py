"""The verifier of a pack: Python alone, an exit code, and the name of every file with a flipped byte."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from iam.audit.evidence import verify_evidence
from iam.audit.evidence.verify_evidence import is_signed, verify
from iam.journal.services import record
from iam.journal.signing_keys import signer
from tests import factories
from tests.iam.audit.evidence.made_packs import built, done_change, members, repacked

CHAIN = "journal chain"


@pytest.fixture(scope="module")
def pack(tmp_path_factory: Any, django_db_setup: None, django_db_blocker: Any) -> Path:
    """A pack with changes, users and a journal; the rows are rolled back."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        account = factories.account()
        factories.user(account, "tomas")
        for _ in range(3):
            done_change(account)
        path = built(tmp_path_factory.mktemp("pack"))
        transaction.set_rollback(True)
    return path


def test_a_whole_pack_verifies_with_a_line_for_each_file(pack: Path) -> None:
    lines, wrong = verify(str(pack))
    assert wrong == set()
    for name in members(pack):
        assert f"ok     {name}" in lines
    assert f"ok     {CHAIN}" in lines


def test_the_script_of_the_pack_runs_alone(pack: Path, tmp_path: Path) -> None:
    script = tmp_path / "verify_evidence.py"
    script.write_bytes(members(pack)["verify_evidence.py"])
    command = [sys.executable, "-I", "-S", str(script), str(pack)]
    whole = subprocess.run([*command, "--key", str(signer().verifier)], capture_output=True, text=True)
    assert (whole.returncode, whole.stderr) == (0, "")
    files = members(pack)
    files["changes.csv"] += b"x"
    broken = repacked(tmp_path / "broken.zip", files)
    answer = subprocess.run([*command[:-1], str(broken)], capture_output=True, text=True)
    assert (answer.returncode, answer.stderr) == (1, "")
    assert "Doesn’t match: changes.csv" in answer.stdout


def test_the_script_imports_the_standard_library_alone() -> None:
    tree = ast.parse(Path(verify_evidence.__file__).read_text(encoding="utf-8"))
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(str(node.module).partition(".")[0])
    assert modules - {"__future__"} <= sys.stdlib_module_names


@settings(max_examples=60)
@given(data=st.data())
def test_it_names_the_file_with_a_flipped_bit(pack: Path, tmp_path_factory: Any, data: Any) -> None:
    files = members(pack)
    name = data.draw(st.sampled_from(sorted(files)))
    body = bytearray(files[name])
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= 1 << data.draw(st.integers(0, 7))
    files[name] = bytes(body)
    _, wrong = verify(str(repacked(tmp_path_factory.mktemp("flipped") / "pack.zip", files)))
    assert name in wrong


@settings(max_examples=60)
@given(place=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_a_bit_that_is_flipped_in_the_zip_itself_never_changes_what_is_verified(
    pack: Path, tmp_path_factory: Any, place: int, bit: int
) -> None:
    raw = bytearray(pack.read_bytes())
    raw[place % len(raw)] ^= 1 << bit
    broken = tmp_path_factory.mktemp("zip") / "pack.zip"
    broken.write_bytes(bytes(raw))
    _, wrong = verify(str(broken))
    if not wrong:
        assert members(broken) == members(pack)


@pytest.mark.parametrize("name", ["changes.csv", "report.pdf", "journal/blocks.jsonl", "manifest.note"])
def test_it_names_what_is_missing(pack: Path, tmp_path: Path, name: str) -> None:
    files = members(pack)
    del files[name]
    assert name in verify(str(repacked(tmp_path / "pack.zip", files)))[1]


def test_it_names_what_was_put_in(pack: Path, tmp_path: Path) -> None:
    files = members(pack) | {"more.txt": b"more"}
    assert verify(str(repacked(tmp_path / "pack.zip", files)))[1] == {"more.txt"}


def test_what_is_no_zip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pack.zip"
    path.write_bytes(b"nothing")
    assert verify(str(path))[1] == {str(path)}


def _forged(pack: Path, target: Path, change: Any) -> Path:
    """A pack with other files and a manifest that fits them, signed by another key."""
    files = members(pack)
    change(files)
    manifest = json.loads(files["manifest.json"])
    other = type(signer())(signer().name, Ed25519PrivateKey.from_private_bytes(b"9" * 32))
    for file in manifest["files"]:
        body = files[file["path"]]
        file["sha256"], file["bytes"] = verify_evidence.hashlib.sha256(body).hexdigest(), len(body)
    manifest["key"] = str(other.verifier)
    files["manifest.json"] = json.dumps(manifest).encode()
    digest = verify_evidence.hashlib.sha256(files["manifest.json"]).hexdigest()
    files["manifest.note"] = other.sign(f"{other.name}/evidence\nsha256 {digest}\n").encode()
    checkpoint = files["journal/checkpoint.note"].decode().rpartition("\n\n")[0] + "\n"
    files["journal/checkpoint.note"] = other.sign(checkpoint).encode()
    for file in manifest["files"]:
        body = files[file["path"]]
        file["sha256"], file["bytes"] = verify_evidence.hashlib.sha256(body).hexdigest(), len(body)
    files["manifest.json"] = json.dumps(manifest).encode()
    digest = verify_evidence.hashlib.sha256(files["manifest.json"]).hexdigest()
    files["manifest.note"] = other.sign(f"{other.name}/evidence\nsha256 {digest}\n").encode()
    return repacked(target / "forged.zip", files)


def test_a_pack_of_another_key_is_refused_where_the_published_one_is_given(
    pack: Path, tmp_path: Path
) -> None:
    forged = _forged(pack, tmp_path, lambda files: None)
    assert verify(str(forged))[1] == set()
    assert verify(str(forged), str(signer().verifier))[1] >= {"manifest.note", CHAIN}


def _without_first(lines: bytes) -> bytes:
    return lines.partition(b"\n")[2]


def _swapped(lines: bytes) -> bytes:
    first, second, *rest = lines.splitlines(keepends=True)
    return b"".join([second, first, *rest])


@pytest.mark.parametrize(
    "change",
    [
        lambda files: files.update({"journal/entries.jsonl": _without_first(files["journal/entries.jsonl"])}),
        lambda files: files.update({"journal/entries.jsonl": _swapped(files["journal/entries.jsonl"])}),
        lambda files: files.update(
            {"journal/entries.jsonl": files["journal/entries.jsonl"].replace(b"Gatehouse", b"Mallory..")}
        ),
        lambda files: files.update(
            {
                "journal/blocks.jsonl": files["journal/blocks.jsonl"].replace(
                    b'"made_at":"20', b'"made_at":"21'
                )
            }
        ),
        lambda files: files.update({"journal/blocks.jsonl": b""}),
    ],
)
def test_a_journal_that_was_altered_is_found_though_the_manifest_fits(
    pack: Path, tmp_path: Path, change: Any
) -> None:
    assert verify(str(_forged(pack, tmp_path, change)))[1] == {CHAIN}


# RFC 8032, section 7.1, tests 1 to 3.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("public", "text", "signature"), VECTORS)
def test_the_vectors_of_the_rfc_verify(public: str, text: str, signature: str) -> None:
    key, message, signed = bytes.fromhex(public), bytes.fromhex(text), bytes.fromhex(signature)
    assert is_signed(key, message, signed)
    assert not is_signed(key, message + b"x", signed)
    # The same point with a scalar that isn't reduced, which the RFC forbids.
    scalar = int.from_bytes(signed[32:], "little") + verify_evidence.ORDER
    assert not is_signed(key, message, signed[:32] + scalar.to_bytes(32, "little"))


@settings(max_examples=20)
@given(seed=st.binary(min_size=32, max_size=32), text=st.binary(max_size=100), bit=st.integers(0, 511))
def test_it_agrees_with_another_implementation(seed: bytes, text: bytes, bit: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(text)
    assert is_signed(public, text, signature)
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not is_signed(public, text, bytes(flipped))


@pytest.mark.django_db
def test_a_pack_without_any_block_has_no_excerpt(tmp_path: Path) -> None:
    factories.account()
    path = built(tmp_path)
    record(kind="role.assign", actor=None)
    assert "journal/entries.jsonl" not in members(path)
    assert verify(str(path))[1] == set()
