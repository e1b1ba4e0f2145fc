"""What the code of Gatehouse never does: run text, undo pickles, start a shell, pick secrets by chance."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN = {
    "eval",
    "exec",
    "compile",
    "os.system",
    "os.popen",
    "pickle.loads",
    "pickle.load",
    "marshal.loads",
    "shelve.open",
    "yaml.load",
    "ctypes.CDLL",
    "hashlib.md5",
    "hashlib.sha1",
    "mark_safe.format",
    "tempfile.mktemp",
}
# The stand-in for AWS is no part of an installation.
LEFT_OUT = ("console/demo/",)
JITTER = {"iam/aws/calls.py"}
"""Files that use `random` for waiting times only."""
SCRIPT = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new "
    r"Function|localStorage|sessionStorage|indexedDB"
    r"|postMessage|__proto__|on(?:message)\b"
)


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Each module of an installation, parsed."""
    for folder in ("console", "iam"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(LEFT_OUT):
                yield name, ast.parse(path.read_text(encoding="utf-8"))


def test_no_text_is_run_and_no_shell_started() -> None:
    seen, modules = [], 0
    for name, tree in sources():
        modules += 1
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                shell = any(word.arg == "shell" for word in node.keywords)
                if called in FORBIDDEN or called.startswith("subprocess.") or shell:
                    seen.append(f"{name}:{node.lineno} {called}")
    assert modules > 300
    assert seen == []


def test_chance_is_used_for_waiting_times_only() -> None:
    users = {
        name
        for name, tree in sources()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and any(alias.name == "random" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == "random")
    }
    assert users == JITTER


def test_scripts_write_no_markup_and_keep_nothing() -> None:
    files = sorted((ROOT / "static").rglob("*.js"))
    assert files
    seen = [
        (path.name, match[0]) for path in files for match in SCRIPT.finditer(path.read_text(encoding="utf-8"))
    ]
    assert seen == []


CIPHERS = {"cryptography", "hashlib", "hmac", "secrets", "django", "allauth"}
"""Where ciphers, hashes and random values come from."""
OTHERS = {"Crypto", "Cryptodome", "nacl", "rsa", "ecdsa", "pyaes", "jose", "passlib", "bcrypt"}


def test_cryptography_comes_from_known_libraries() -> None:
    imported = set()
    for _name, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.split(".")[0])
    assert imported >= CIPHERS
    assert imported & OTHERS == set()
