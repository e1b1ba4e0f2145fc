"""Deliberate problems in production: an administrator without MFA, an escalation path, and old or overly
broad keys and trusts.
"""

from __future__ import annotations

from console.demo.organisation.documents import (
    GITHUB,
    allow,
    arn,
    aws_managed,
    deny,
    document,
    github_trust,
    service_trust,
    trusts,
)
from console.demo.organisation.jobs import job_policy
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.organisation.specs import (
    CertificateSpec,
    DelegationSpec,
    DeviceSpec,
    GroupSpec,
    InstanceSpec,
    KeySpec,
    LoginSpec,
    PlantedTrouble,
    PolicySpec,
    RoleSpec,
    UserSpec,
)

ACCOUNT = ACCOUNT_IDS["production"]
TRACKSIDE = "730335184412"
ADMINISTRATOR = aws_managed("AdministratorAccess")
PAY = {"Team": "payments", "Owner": "payments@northline.example"}


def trouble() -> PlantedTrouble:
    """Return all problems in production."""
    return PlantedTrouble(
        policies=_policies(),
        groups=(GroupSpec("legacy-admins", "/teams/", 1490, (ADMINISTRATOR,)),),
        users=_users(),
        roles=_roles(),
        instances=(
            InstanceSpec(
                "pos-concentrator", "t3.medium", None, 410, tokens="optional", address="10.30.4.17", tags=PAY
            ),
        ),
        certificates=(
            CertificateSpec("legacy.northline.example", 800, -70, "/cloudfront/", {"Team": "web"}),
            CertificateSpec("depots.northline.example", 300, 65, tags={"Team": "platform"}),
        ),
        delegations=(_monitoring(),),
        attached=(("payments-dev", "DenyLedgerExport"), ("billing-readers", "VendorPurchasing")),
    )


def _monitoring() -> DelegationSpec:
    """Return a delegation that an administrator accepted, which lets the vendor create roles."""
    boundary = f"arn:aws:iam::{TRACKSIDE}:policy/permission_boundary/trackside"
    roles = f"arn:aws:iam::{ACCOUNT}:role/trackside-*"
    bounded = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    return DelegationSpec(
        TRACKSIDE,
        "Trackside Monitoring",
        "Sets up the collection of metrics, with a role that stays.",
        document(
            allow("Look", ("cloudwatch:Get*", "cloudwatch:List*")),
            allow("MakeRole", ("iam:CreateRole", "iam:PutRolePolicy"), roles, **bounded),
        ),
        "FINALIZED",
        filed=3,
        changed=2,
        owner=f"arn:aws:iam::{ACCOUNT}:user/people/maya.okafor",
        approver=f"arn:aws:iam::{ACCOUNT}:user/people/maya.okafor",
        duration=4 * 3600,
        boundaries=(boundary,),
    )


def _policies() -> tuple[PolicySpec, ...]:
    functions = arn("lambda", ACCOUNT, "function:pay-*")
    workload_roles = f"arn:aws:iam::{ACCOUNT}:role/workloads/pay-*"
    code = ("lambda:Get*", "lambda:List*", "lambda:UpdateFunctionCode")
    return (
        # Anyone who deploys payments can also create a function with the role pay-admin, and so reach
        # everything in two steps.
        job_policy(
            "PaymentsDeploy",
            "Releases payments",
            "payments",
            document(allow("PublishCode", code, functions), allow("PassDeployRole", "iam:PassRole", "*")),
            document(
                allow("PublishCode", (*code, "lambda:CreateFunction", "lambda:InvokeFunction"), functions),
                allow("PassDeployRole", "iam:PassRole", workload_roles),
                deny(
                    "NeverDeleteProd",
                    "lambda:DeleteFunction",
                    "*",
                    StringEquals={"aws:ResourceTag/env": "prod"},
                ),
            ),
        ),
        job_policy(
            "CrossAccountHop",
            "Assumes roles in other accounts (undocumented)",
            "sre",
            document(allow("Hop", "sts:AssumeRole", "*")),
        ),
        PolicySpec(
            "MigrationAdmin2023",
            ((document(allow("All", "*")), 1010),),
            "/legacy/",
            "Migration of 2023, no longer attached",
        ),
        job_policy(
            "VendorPurchasing",
            "Marketplace purchases",
            "finance",
            document(allow("Buy", "aws-marketplace:*")),
        ),
        job_policy("KmsOperator", "Access key management", "platform", document(allow("Keys", "kms:*"))),
        # Some action names are wrong, so the policy allows less than it seems to. One resource is not a valid
        # ARN.
        PolicySpec(
            "TicketArchive",
            (
                (
                    document(
                        allow("Fetch", ("s3:GetObjects", "s3:ListBucket"), "arn:aws:s3::ticket-archive/*"),
                        allow("Publish", "lambda:PublishVersions", functions),
                    ),
                    260,
                ),
            ),
            "/jobs/",
            "Fetches archived tickets",
        ),
    )


def _users() -> tuple[UserSpec, ...]:
    everyone = ("everyone",)
    return (
        # Was on call in March, was made administrator in a hurry, and never had to set up MFA.
        _person(
            "Gunnar Hauge",
            "sre",
            age=640,
            groups=(*everyone, "sre"),
            policies=(ADMINISTRATOR,),
            login=LoginSpec(640, 0.3, 70),
        ),
        _person(
            "Paula Reyes",
            "payments",
            age=300,
            groups=(*everyone, "payments-dev"),
            login=LoginSpec(300, 0.6, 15),
            keys=(KeySpec(55, 0.2, service="sqs"), KeySpec(20, 0.1, service="lambda")),
            devices=(DeviceSpec("virtual", 290),),
        ),
        _person(
            "Edda Strand",
            "sre",
            age=420,
            groups=(*everyone, "sre"),
            login=LoginSpec(420, 1.5, 50, longest=30 * 86_400),
            keys=(KeySpec(160, None),),
            devices=(DeviceSpec("security-key", 400, "keyring"),),
        ),
        _person(
            "Niall Quinn",
            "ticketing",
            age=900,
            groups=(*everyone, "ticketing-dev"),
            login=LoginSpec(900, 141, 200),
            keys=(KeySpec(400, 122, service="dynamodb"),),
            devices=(DeviceSpec("virtual", 880),),
        ),
        # The access key was created by the console wizard on the day when the user was created.
        _person(
            "Dana Wirth",
            "payments",
            age=130,
            groups=(*everyone, "payments-dev"),
            login=LoginSpec(130, 0.8, 60),
            keys=(KeySpec(130, 0.9, service="sqs"),),
            devices=(DeviceSpec("virtual", 128),),
        ),
        _person(
            "Henning Voss",
            "web",
            age=720,
            groups=(),
            login=LoginSpec(720, 3, 66),
            devices=(DeviceSpec("passkey", 200, "laptop"),),
        ),
        # An attached policy makes her administrator, but her boundary limits her to a product team's
        # permissions: must not be reported.
        _person(
            "Ruta Balode",
            "platform",
            age=210,
            groups=everyone,
            policies=(ADMINISTRATOR,),
            login=LoginSpec(210, 0.4, 30),
            devices=(DeviceSpec("security-key", 205, "keyring"),),
            boundary="TeamBoundary",
        ),
    )


def _person(name: str, team: str, *, age: float, boundary: str | None = None, **fields: object) -> UserSpec:
    from console.demo.organisation.people import login_of

    login = login_of(name)
    tags = {"DisplayName": name, "Email": f"{login}@northline.example", "Team": team, "Kind": "person"}
    return UserSpec(login, "/people/", age, tags, boundary=boundary, **fields)  # type: ignore[arg-type]


def _roles() -> tuple[RoleSpec, ...]:
    wide = document(allow("Everything", "*"))
    own = {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": arn("scheduler", ACCOUNT, "schedule/*")},
    }
    passing = document(
        allow(
            "PassToGlueOnly",
            "iam:PassRole",
            f"arn:aws:iam::{ACCOUNT}:role/services/backup-service",
            StringEquals={"iam:PassedToService": "backup.amazonaws.com"},
        ),
        allow("Start", "backup:StartBackupJob"),
    )
    return (
        RoleSpec(
            "pay-admin",
            service_trust("lambda"),
            530,
            "/workloads/",
            12,
            policies=(ADMINISTRATOR,),
            tags=PAY,
            description="Manual payment repair, created during an incident",
        ),
        RoleSpec(
            "pay-deploy",
            github_trust(ACCOUNT, "repo:northline/pay:*"),
            480,
            "/pipelines/",
            0.3,
            policies=("PaymentsDeploy",),
            tags=PAY,
            description="GitHub Actions deploys payments",
        ),
        RoleSpec(
            "break-glass",
            trusts(
                {"AWS": f"arn:aws:iam::{ACCOUNT_IDS['management']}:root"},
                Bool={"aws:MultiFactorAuthPresent": "true"},
            ),
            1000,
            "/shared/",
            96,
            inline={"everything": wide},
            description="Break-glass access",
            longest_sign_in=7 * 86_400,
        ),
        RoleSpec(
            "timetable-migration",
            service_trust("ec2"),
            700,
            "/legacy/",
            260,
            policies=("MetricsRead",),
            tags={"Team": "ticketing"},
            description="Timetable migration in 2025",
        ),
        RoleSpec(
            "nightly-scheduler",
            service_trust("scheduler"),
            390,
            "/services/",
            0.4,
            policies=("BackupWrite",),
            tags={"Team": "platform"},
            description="EventBridge Scheduler: nightly backups",
        ),
        RoleSpec(
            "hourly-scheduler",
            service_trust("scheduler", **own),
            120,
            "/services/",
            0.02,
            policies=("BackupWrite",),
            tags={"Team": "platform"},
            description="EventBridge Scheduler: hourly backups, this account only",
        ),
        RoleSpec(
            "backup-starter",
            service_trust("lambda"),
            240,
            "/workloads/",
            0.5,
            inline={"start": passing},
            tags={"Team": "platform"},
            description="Starts backups, with iam:PassRole for one role and one service",
        ),
        RoleSpec(
            "key-custodian",
            github_trust(ACCOUNT, "repo:northline/keys:environment:production"),
            330,
            "/pipelines/",
            4,
            policies=("KmsOperator",),
            tags={"Team": "platform"},
            description=f"Rotates keys from {GITHUB}",
        ),
    )
