"""IAM users of people: age, password, keys and MFA, mostly derived from the name, some fixed by a story."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from console.demo.organisation.documents import allow, arn, aws_managed, document
from console.demo.organisation.people import ACCOUNT_AGES, ACCOUNT_IDS, PEOPLE, SamplePerson
from console.demo.organisation.specs import DeviceSpec, KeySpec, LoginSpec, UserCredentialSpec, UserSpec
from console.demo.organisation.teams import TEAMS
from console.demo.standin.ids import digest

COST_CENTRES = {team.key: team.cost_centre for team in TEAMS}
WITHOUT_EVERYONE = {"sandbox", "management"}
SERVICES = {
    "payments": ("lambda", "sqs", "logs"),
    "ticketing": ("lambda", "dynamodb", "logs"),
    "platform": ("eks", "ec2", "ecr"),
    "sre": ("monitoring", "ec2", "ssm"),
    "data-platform": ("glue", "s3", "redshift"),
    "analysts": ("athena", "s3"),
    "machine-learning": ("sagemaker", "s3"),
    "web": ("cloudfront", "s3"),
    "mobile": ("sns", "s3"),
    "qa": ("lambda", "dynamodb"),
}
PASSKEY, SECURITY_KEY, PHONE, TOKEN = "passkey", "security-key", "virtual", "hardware"
GLUE_ROLES = f"arn:aws:iam::{ACCOUNT_IDS['data']}:role/workloads/glue-*"
TOOLS = arn("lambda", ACCOUNT_IDS["production"], "function:pay-tools-*")

# Fixed fields of a user instead of derived ones: (account, user name) → fields.
STORIES: dict[tuple[str, str], dict[str, Any]] = {
    ("production", "maya.okafor"): {
        "devices": (DeviceSpec(PASSKEY, 300, "laptop"),),
        "keys": (KeySpec(41, 0.003, service="eks"),),
        "login": LoginSpec(1100, 0.003, 30),
        # Granted during an incident and never used since. An access review finds it.
        "policies": (aws_managed("AdministratorAccess"),),
    },
    ("production", "tomas.lind"): {
        "devices": (),
        "keys": (KeySpec(112, 0.125, service="lambda"),),
        "login": LoginSpec(370, 0.125, 61),
        "age": 371,
    },
    ("production", "kwame.boateng"): {
        "devices": (),
        "keys": (KeySpec(77, 0.17, service="lambda"),),
        "login": LoginSpec(1010, 0.17, 44),
        "age": 1012,
        "groups": ("everyone", "payments-dev", "deployers"),
        "inline": {"kwame-tools": document(allow("Tools", "lambda:InvokeFunction", TOOLS))},
    },
    ("production", "ines.duarte"): {
        "devices": (DeviceSpec(SECURITY_KEY, 500, "desk"), DeviceSpec(SECURITY_KEY, 498, "safe")),
        "keys": (),
        "login": LoginSpec(1300, 0.001, 20),
    },
    ("production", "hana.sato"): {
        "devices": (DeviceSpec(SECURITY_KEY, 700, "keyring"),),
        "keys": (KeySpec(29, 0.015, service="ssm"),),
        "login": LoginSpec(1260, 0.015, 55),
        "groups": ("everyone", "sre", "platform-oncall"),
    },
    ("production", "elif.kaya"): {
        "devices": (DeviceSpec(PASSKEY, 240, "laptop"),),
        "keys": (),
        "login": LoginSpec(1180, 0.08, 12),
    },
    ("production", "jonas.berg"): {
        "devices": (DeviceSpec(SECURITY_KEY, 640, "keyring"), DeviceSpec(PHONE, 900, "jonas.berg")),
        "keys": (),
        "login": LoginSpec(1240, 0.06, 40),
    },
    ("production", "amara.diallo"): {
        "devices": (DeviceSpec(PASSKEY, 180, "laptop"),),
        "keys": (),
        "login": LoginSpec(800, 0.024, 33),
    },
    ("production", "sofia.marchetti"): {
        "devices": (DeviceSpec(PHONE, 600),),
        "keys": (),
        "login": LoginSpec(1320, 2, 50),
    },
    ("data", "priya.raman"): {
        "devices": (DeviceSpec(PHONE, 420),),
        "keys": (KeySpec(63, 0.04, service="glue"),),
        "login": LoginSpec(1150, 0.04, 38),
        "inline": {"glue-pass-role": document(allow("PassGlueRoles", "iam:PassRole", GLUE_ROLES))},
    },
    ("data", "jonah.weiss"): {
        "devices": (DeviceSpec(PHONE, 75),),
        "keys": (KeySpec(18, 1, service="athena"),),
        "login": LoginSpec(900, 1, 18),
    },
    ("data", "lukas.novak"): {
        "devices": (DeviceSpec(PHONE, 210),),
        "keys": (KeySpec(139, 61, service="s3"),),
        "login": LoginSpec(230, 61, 139),
        "age": 231,
    },
    # New colleagues who have not changed their temporary password yet.
    ("staging", "joana.castro"): {
        "age": 4,
        "login": LoginSpec(4, None, must_reset=True),
        "devices": (),
        "keys": (),
    },
    ("staging", "ama.owusu"): {
        "age": 2,
        "login": LoginSpec(2, None, must_reset=True),
        "devices": (),
        "keys": (),
    },
    # One of each type of the less common credentials.
    ("production", "klara.lindqvist"): {
        "credentials": (UserCredentialSpec("ssh", 300), UserCredentialSpec("ssh", 700, active=False))
    },
    ("production", "sigrid.halvorsen"): {"credentials": (UserCredentialSpec("signing", 330, expires_in=40),)},
    ("data", "nikhil.deshpande"): {
        "credentials": (UserCredentialSpec("service", 90, service="codecommit.amazonaws.com"),)
    },
    ("data", "wei.zhang"): {
        "credentials": (UserCredentialSpec("service", 30, service="bedrock.amazonaws.com", expires_in=60),)
    },
    ("staging", "owen.pritchard"): {
        "credentials": (UserCredentialSpec("ssh", 120), UserCredentialSpec("signing", 500, active=False))
    },
    ("production", "tamika.reynolds"): {"devices": (DeviceSpec(TOKEN, 800),)},
    ("data", "rasmus.thomsen"): {"devices": (DeviceSpec(TOKEN, 640), DeviceSpec(PASSKEY, 90, "laptop"))},
}


def users(account_name: str) -> tuple[UserSpec, ...]:
    """Return the users of all people who work in the account."""
    users = [_user(person, account_name) for person in PEOPLE if account_name in person.accounts]
    return (*users, *_leavers(account_name))


def _user(person: SamplePerson, account_name: str) -> UserSpec:
    number = int(digest("person", person.login, account_name)[:8], 16)
    age = 60 + number % (ACCOUNT_AGES[account_name] - 100)
    groups = person.team.groups[account_name]
    if account_name not in WITHOUT_EVERYONE:
        groups = ("everyone", *groups)
    boundary = "TeamBoundary" if person.team.key in {"contractors", "qa"} else None
    drawn = UserSpec(
        name=person.login,
        path=person.team.path,
        age=age,
        tags=_tags(person),
        groups=groups,
        boundary=boundary,
        login=_login(number, age),
        keys=_keys(person, number, age),
        devices=_devices(person, number, age, account_name),
    )
    story = STORIES.get((account_name, person.login), {})
    user_with_story = replace(drawn, **story)
    return (
        user_with_story
        if "age" in story
        else replace(user_with_story, age=max(user_with_story.age, _oldest_part(user_with_story)))
    )


def _oldest_part(user: UserSpec) -> float:
    """Return the age of the oldest part in days, because no key can be older than its user."""
    ages = [*(key.age for key in user.keys), *(device.age for device in user.devices)]
    ages += [credential.age for credential in user.credentials]
    return max([*ages, user.login.age if user.login else 1])


def _tags(person: SamplePerson) -> dict[str, str]:
    tags = {
        "DisplayName": person.name,
        "Email": person.email,
        "Team": person.team.key,
        "CostCentre": COST_CENTRES[person.team.key],
        "Kind": "person",
    }
    return tags | ({"ContractEnds": "2027-03-31"} if person.team.key == "contractors" else {})


def _login(number: int, age: int) -> LoginSpec:
    """Return a password that is changed within 90 days and used within days, except by a few people."""
    used = 25 + number % 19 if number % 23 == 0 else 0.02 + (number >> 4) % 260 / 24
    return LoginSpec(age=age, used=used, changed=min(age, 1 + (number >> 7) % 84))


def _keys(person: SamplePerson, number: int, age: int) -> tuple[KeySpec, ...]:
    """Return no key for half of the people, a recent key for most others, and for some also an old inactive
    key.
    """
    if person.team.key not in SERVICES or number % 10 < 5:
        return ()
    services = SERVICES[person.team.key]
    since = min(age, 3 + (number >> 5) % 84)
    young = KeySpec(
        age=since,
        used=min(since - 1, 0.05 + (number >> 9) % 200 / 24),
        service=services[number % len(services)],
    )
    if number % 10 == 9 and age > 200:
        return (
            KeySpec(
                age=min(age, 130 + number % 60), used=45 + number % 30, active=False, service=services[0]
            ),
            young,
        )
    return (young,)


def _devices(person: SamplePerson, number: int, age: int, account_name: str) -> tuple[DeviceSpec, ...]:
    """Return mostly phones, but also passkeys, security keys and tokens. Some people have two devices;
    outside of `data`, one in twenty has none.

    People in the identity and security teams always have a security key.
    """
    since = max(1, age - 3 - number % 200) if age > 210 else max(1, age - 2)
    if person.team.key in {"iam", "security"}:
        return (DeviceSpec(SECURITY_KEY, min(since, 700), "keyring"),)
    roll = (number >> 6) % 100
    if roll < 5 and account_name != "data":
        return ()
    if roll < 58:
        return (DeviceSpec(PHONE, since),)
    if roll < 74:
        return (DeviceSpec(PASSKEY, min(since, 400), "laptop"),)
    if roll < 86:
        return (DeviceSpec(SECURITY_KEY, min(since, 700), "keyring"),)
    if roll < 90:
        return (DeviceSpec(TOKEN, since),)
    return (DeviceSpec(PHONE, since), DeviceSpec(PASSKEY, min(since, 200), "phone"))


def _leavers(account_name: str) -> tuple[UserSpec, ...]:
    """Return the forgotten user of Lena Fischer in the data account, who left in September."""
    if account_name != "data":
        return ()
    tags = {
        "DisplayName": "Lena Fischer",
        "Email": "lena.fischer@northline.example",
        "Team": "analysts",
        "CostCentre": COST_CENTRES["analysts"],
        "Kind": "person",
        "Status": "left",
    }
    return (
        UserSpec(
            name="lena.fischer",
            path="/people/",
            age=990,
            tags=tags,
            groups=("everyone", "analysts"),
            login=LoginSpec(990, 57, 120),
            keys=(KeySpec(160, 58, service="athena"),),
            devices=(DeviceSpec(PHONE, 700),),
        ),
    )
