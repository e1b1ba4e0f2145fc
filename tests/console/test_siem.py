"""Where the journal is sent is checked at the start, and a wrong setting is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from console import env
from console.siem import SiemSettings, siem_settings

URL, TOKEN, SYSLOG = "GATEHOUSE_SIEM_URL", "GATEHOUSE_SIEM_TOKEN", "GATEHOUSE_SIEM_SYSLOG"
HTTPS = "https://siem.example.com/in"
WRONG = (
    ({URL: "http://siem.example.com/in"}, f"{URL} must start with https://"),
    ({URL: "ftp://siem.example.com/in"}, f"{URL} must start with https://"),
    ({URL: "https://word@siem.example.com/"}, f"{URL} isn’t a web address"),
    ({URL: "https://siem.example.com:99999/"}, f"{URL} isn’t a web address"),
    ({URL: "https:///in"}, f"{URL} isn’t a web address"),
    ({URL: "https://siem.example.com/a b"}, f"{URL} holds a space"),
    ({URL: "https://siem.example.com/ä"}, f"{URL} holds a space"),
    ({TOKEN: "word"}, f"{TOKEN} is set without {URL}"),
    ({URL: HTTPS, TOKEN: "Bearer word"}, f"{TOKEN} holds a space"),
    ({URL: HTTPS, TOKEN: "wo\nrd"}, f"{TOKEN} holds a space"),
    ({URL: HTTPS, TOKEN: "wörd"}, f"{TOKEN} holds a space"),
    ({SYSLOG: "logs.example.com"}, f"{SYSLOG} isn’t the address of a syslog receiver"),
    ({SYSLOG: "https://logs.example.com"}, f"{SYSLOG} isn’t the address of a syslog receiver"),
    ({SYSLOG: "tls://"}, f"{SYSLOG} isn’t the address of a syslog receiver"),
    ({SYSLOG: "tls://logs.example.com/in"}, f"{SYSLOG} isn’t the address of a syslog receiver"),
    ({SYSLOG: "tls://logs.example.com:0"}, f"{SYSLOG} isn’t the address of a syslog receiver"),
    ({SYSLOG: "tls://logs.example.com:x"}, f"{SYSLOG} isn’t the address of a syslog receiver"),
    ({SYSLOG: "tls://word@logs.example.com"}, f"{SYSLOG} isn’t the address of a syslog receiver"),
    ({SYSLOG: "tcp://logs.example.com"}, f"{SYSLOG} connects to another host without TLS"),
    ({SYSLOG: "udp://10.0.0.5:514"}, f"{SYSLOG} connects to another host without TLS"),
    ({"GATEHOUSE_SIEM_CA": "/nowhere/ca.pem"}, "GATEHOUSE_SIEM_CA is '/nowhere/ca.pem'"),
    ({"GATEHOUSE_SIEM_HISTORY": "perhaps"}, "GATEHOUSE_SIEM_HISTORY is 'perhaps'"),
)
RIGHT = (
    ({}, SiemSettings("", "", "", "", True)),
    ({URL: HTTPS, TOKEN: "w0rd=="}, SiemSettings(HTTPS, "w0rd==", "", "", True)),
    ({URL: "http://127.0.0.1:8080/in"}, SiemSettings("http://127.0.0.1:8080/in", "", "", "", True)),
    ({SYSLOG: "tls://logs.example.com"}, SiemSettings("", "", "tls://logs.example.com:6514", "", True)),
    ({SYSLOG: "tcp://127.0.0.1"}, SiemSettings("", "", "tcp://127.0.0.1:514", "", True)),
    ({SYSLOG: "udp://[::1]:1514/"}, SiemSettings("", "", "udp://[::1]:1514", "", True)),
    ({"GATEHOUSE_SIEM_HISTORY": "false"}, SiemSettings("", "", "", "", False)),
)


def read(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], *, plain_allowed: bool) -> SiemSettings:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return siem_settings(plain_allowed=plain_allowed)


@pytest.mark.parametrize(("given", "sentence"), WRONG)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], sentence: str
) -> None:
    with pytest.raises(env.ConfigurationError, match=f"^{sentence}") as caught:
        read(monkeypatch, given, plain_allowed=False)
    # Addresses and tokens can be secret: the sentence repeats neither.
    for name in (URL, TOKEN):
        assert given.get(name, "-") == "-" or given[name] not in str(caught.value)


@pytest.mark.parametrize(("given", "settings"), RIGHT)
def test_a_right_setting_is_read(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], settings: SiemSettings
) -> None:
    assert read(monkeypatch, given, plain_allowed=False) == settings


def test_syslog_in_plain_text_is_allowed_by_the_setting_for_all_plain_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    siem = read(monkeypatch, {SYSLOG: "udp://logs.example.com"}, plain_allowed=True)
    assert siem.syslog == "udp://logs.example.com:514"


def test_the_token_comes_from_a_file_and_is_in_no_text_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("a-secret-token\n")
    siem = read(
        monkeypatch, {URL: f"{HTTPS}/hidden", f"{TOKEN}_FILE": str(tmp_path / "token")}, plain_allowed=False
    )
    assert siem.token == "a-secret-token"
    assert "a-secret-token" not in repr(siem)
    assert "hidden" not in repr(siem)
