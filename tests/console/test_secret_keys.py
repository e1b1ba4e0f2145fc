"""Secret keys: long ones of their own in production, and made in a folder by the embedded default."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.env import ConfigurationError
from console.secret_keys import SecretKeys, read_keys

FIRST, SECOND, THIRD, FOURTH = ("a" * 50, "b" * 50, "c" * 50, "d" * 50)
KEYS = {"GATEHOUSE_SECRET_KEY": FIRST, "GATEHOUSE_SEALED_KEY": SECOND}


@pytest.fixture(autouse=True)
def _without_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "SEALED_KEY", "SIGNING_KEY"):
        monkeypatch.delenv(f"GATEHOUSE_{name}", raising=False)
        monkeypatch.delenv(f"GATEHOUSE_{name}_FILE", raising=False)


def read(monkeypatch: pytest.MonkeyPatch, var: Path, **values: str) -> SecretKeys:
    """The keys of a production process with these variables."""
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return read_keys(var, embedded=False)


def test_production_takes_long_keys_and_former_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lists = {
        "GATEHOUSE_SECRET_KEY_FALLBACKS": THIRD,
        "GATEHOUSE_SEALED_KEY": f"{SECOND}, {THIRD}",
        "GATEHOUSE_SIGNING_KEY": FOURTH,
    }
    keys = read(monkeypatch, tmp_path, **(KEYS | lists))
    assert keys == SecretKeys(FIRST, [THIRD], [SECOND, THIRD], [FOURTH])
    assert not any(key in repr(keys) for key in (FIRST, SECOND, THIRD, FOURTH))
    assert not list(tmp_path.iterdir()), "production keeps no key in a file"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"GATEHOUSE_SECRET_KEY": "a" * 49}, "GATEHOUSE_SECRET_KEY is too short"),
        ({"GATEHOUSE_SECRET_KEY_FALLBACKS": f"{THIRD},short"}, "FALLBACKS holds a key under 50 characters"),
        ({"GATEHOUSE_SEALED_KEY": f"{SECOND},short"}, "GATEHOUSE_SEALED_KEY is too short"),
        ({"GATEHOUSE_SEALED_KEY": FIRST}, "GATEHOUSE_SEALED_KEY is too short, or the same as"),
        ({"GATEHOUSE_SIGNING_KEY": "short"}, "GATEHOUSE_SIGNING_KEY is too short"),
        ({"GATEHOUSE_SIGNING_KEY": FIRST}, "or the same as another key"),
        ({"GATEHOUSE_SIGNING_KEY": SECOND}, "or the same as another key"),
    ],
)
def test_a_short_key_or_one_that_is_used_twice_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, values: dict[str, str], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        read(monkeypatch, tmp_path, **(KEYS | values))


@pytest.mark.parametrize("name", list(KEYS))
def test_production_does_not_start_without_a_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    values = {other: value for other, value in KEYS.items() if other != name}
    with pytest.raises(ConfigurationError, match=f"{name} is not set"):
        read(monkeypatch, tmp_path, **values)


def test_the_embedded_default_makes_keys_once(tmp_path: Path) -> None:
    keys = read_keys(tmp_path, embedded=True)
    assert keys == read_keys(tmp_path, embedded=True)
    assert len({keys.secret, *keys.sealed, *keys.signing}) == 3
    assert keys.fallbacks == []
