"""Random but plausible policy documents and trusts."""

from __future__ import annotations

import random
from typing import Any

from tests.bench.fakeaws.ids import BASE_ACCOUNT


class Documents:
    """Makes documents from one stream of random numbers; the order of calls is part of the seed."""

    HOT = (
        "s3",
        "ec2",
        "iam",
        "sts",
        "kms",
        "lambda",
        "dynamodb",
        "logs",
        "sqs",
        "sns",
        "ecr",
        "secretsmanager",
        "ssm",
        "cloudformation",
        "cloudwatch",
        "eks",
        "rds",
    )

    def __init__(self, rng: random.Random, actions: dict[str, list[str]], account: int) -> None:
        self.r, self.actions, self.acct = rng, actions, account
        self.hot = [s for s in self.HOT if s in actions]
        self.all = list(actions)

    def resource(self, svc: str) -> str | list[str]:
        """One resource of a service, or a bucket with its objects."""
        r, n = self.r, self.r.randint(1, 400)
        if svc == "s3":
            b = f"arn:aws:s3:::corp-{r.choice(('data', 'logs', 'web', 'ml', 'backup'))}-{n}"
            return [b, b + "/*"] if r.random() < 0.6 else b + f"/team-{r.randint(1, 40)}/*"
        if svc in ("iam", "sts"):
            return (
                f"arn:aws:iam::{self.acct}:role/{r.choice(('', 'svc/', 'ci/'))}app-{n}{r.choice(('', '*'))}"
            )
        kind = {
            "lambda": "function:",
            "dynamodb": "table/",
            "kms": "key/",
            "logs": "log-group:",
            "sqs": "",
            "sns": "",
            "secretsmanager": "secret:",
            "ssm": "parameter/",
        }.get(svc, "resource/")
        return (
            f"arn:aws:{svc}:{r.choice(('us-east-1', 'eu-west-1', '*'))}:{self.acct}:"
            f"{kind}app-{n}{r.choice(('', '*', '-prod'))}"
        )

    def condition(self) -> dict[str, Any]:
        """A condition block."""
        r = self.r
        return r.choice(
            (
                lambda: {"IpAddress": {"aws:SourceIp": [f"10.{r.randint(0, 255)}.0.0/16", "203.0.113.0/24"]}},
                lambda: {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
                lambda: {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorg1"}},
                lambda: {"StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/Team}"}},
                lambda: {
                    "StringLike": {"aws:PrincipalArn": f"arn:aws:iam::{self.acct}:role/ci/*"},
                    "StringEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]},
                },
            )
        )()

    def statement(self, i: int) -> dict[str, Any]:
        """The i-th statement of a policy."""
        r = self.r
        svc = r.choice(self.hot) if self.hot and r.random() < 0.8 else r.choice(self.all)
        pool = self.actions[svc]
        roll = r.random()
        if roll < 0.12:
            acts: str | list[str] = f"{svc}:*"
        elif roll < 0.3:
            acts = [
                f"{svc}:{v}*"
                for v in r.sample(("Get", "List", "Describe", "Put", "Create", "Delete"), r.randint(1, 3))
            ]
        else:
            acts = sorted(r.sample(pool, min(len(pool), r.randint(1, 9))))
        st: dict[str, Any] = {"Sid": f"Stmt{i}{svc.title().replace('-', '')}"} if r.random() < 0.7 else {}
        st["Effect"] = "Deny" if r.random() < 0.07 else "Allow"
        st["NotAction" if r.random() < 0.02 else "Action"] = acts
        resources = [self.resource(svc) for _ in range(1 if r.random() < 0.6 else r.randint(2, 4))]
        st["Resource"] = (
            "*"
            if r.random() < 0.35
            else resources[0]
            if len(resources) == 1
            else [arn for f in resources for arn in ([f] if isinstance(f, str) else f)]
        )
        if r.random() < 0.22:
            st["Condition"] = self.condition()
        return st

    def policy(self, low: int = 1, high: int = 6) -> dict[str, Any]:
        """A policy of low to high statements."""
        return {
            "Version": "2012-10-17",
            "Statement": [self.statement(i) for i in range(self.r.randint(low, high))],
        }

    def trust(self) -> tuple[dict[str, Any], str]:
        """A trust policy, and what sort of principal it lets in."""
        r, roll = self.r, self.r.random()
        st: dict[str, Any] = {"Effect": "Allow", "Action": "sts:AssumeRole"}
        if roll < 0.50:
            svc = r.choice(("ec2", "lambda", "ecs-tasks", "states", "codebuild", "events", "glue", "eks"))
            st["Principal"], kind = {"Service": f"{svc}.amazonaws.com"}, svc
        elif roll < 0.80:
            who = [
                f"arn:aws:iam::{r.choice((self.acct, BASE_ACCOUNT + r.randint(1, 40), 999988887777))}:"
                f"{r.choice(('root', 'role/ci/deployer', 'user/user-00001'))}"
                for _ in range(r.randint(1, 3))
            ]
            st["Principal"], kind = {"AWS": who[0] if len(who) == 1 else who}, "account"
            if r.random() < 0.4:
                st["Condition"] = {"StringEquals": {"sts:ExternalId": f"ext-{r.randint(1000, 9999)}"}}
        elif roll < 0.92:
            st.update(
                Principal={"Federated": f"arn:aws:iam::{self.acct}:saml-provider/Okta"},
                Action="sts:AssumeRoleWithSAML",
                Condition={"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
            )
            kind = "saml"
        else:
            host = r.choice(
                (
                    "token.actions.githubusercontent.com",
                    "oidc.eks.eu-west-1.amazonaws.com/id/ABCDEF0123456789",
                )
            )
            sub = "repo:corp/app-%d:*" if "github" in host else "system:serviceaccount:ns:app-%d"
            st.update(
                Principal={"Federated": f"arn:aws:iam::{self.acct}:oidc-provider/{host}"},
                Action="sts:AssumeRoleWithWebIdentity",
                Condition={
                    "StringEquals": {f"{host}:aud": "sts.amazonaws.com"},
                    "StringLike": {f"{host}:sub": sub % r.randint(1, 300)},
                },
            )
            kind = "oidc"
        return {"Version": "2012-10-17", "Statement": [st]}, kind
