"""Profiles and trust anchors of Roles Anywhere and pod identity associations are kinds of entities, and each account
gets the rows of their sections.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

SECTIONS = ("roles_anywhere", "pod_identities")


def add_sections(apps: Any, schema_editor: Any) -> None:
    """Add the rows that are not there."""
    account, section = apps.get_model("mirror", "Account"), apps.get_model("mirror", "Section")
    rows = [section(account=one, name=name) for one in account.objects.all() for name in SECTIONS]
    section.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


class Migration(migrations.Migration):

    dependencies = [
        ('mirror', '0018_plain_apostrophes'),
    ]

    operations = [
        migrations.AlterField(
            model_name='edge',
            name='kind',
            field=models.CharField(choices=[('member', 'user is a member of group'), ('attached', 'managed policy is attached to user, group or role'), ('boundary', 'managed policy is the permissions boundary of user or role'), ('profile-role', 'instance profile holds role'), ('instance-profile', 'instance uses instance profile'), ('workload-role', 'Roles Anywhere profile or pod identity association gives role'), ('parent', 'account or unit lies in unit or root'), ('target', 'SCP or RCP is attached to root, unit or account')], max_length=16),
        ),
        migrations.AlterField(
            model_name='entity',
            name='kind',
            field=models.CharField(choices=[('user', 'IAM user'), ('group', 'IAM group'), ('role', 'IAM role'), ('policy', 'Managed policy'), ('instance-profile', 'Instance profile'), ('access-key', 'Access key'), ('mfa-device', 'MFA device'), ('ssh-key', 'SSH public key'), ('signing-certificate', 'Signing certificate'), ('service-credential', 'Service-specific credential'), ('server-certificate', 'Server certificate'), ('saml-provider', 'SAML provider'), ('oidc-provider', 'OpenID Connect provider'), ('instance', 'EC2 instance'), ('trail', 'CloudTrail trail'), ('anywhere-profile', 'Roles Anywhere profile'), ('trust-anchor', 'Roles Anywhere trust anchor'), ('pod-identity', 'EKS pod identity association'), ('org-root', 'Organization root'), ('org-unit', 'Organizational unit'), ('org-account', 'Account in the organization'), ('scp', 'Service control policy'), ('rcp', 'Resource control policy')], max_length=20),
        ),
        migrations.AlterField(
            model_name='entitystate',
            name='kind',
            field=models.CharField(choices=[('user', 'IAM user'), ('group', 'IAM group'), ('role', 'IAM role'), ('policy', 'Managed policy'), ('instance-profile', 'Instance profile'), ('access-key', 'Access key'), ('mfa-device', 'MFA device'), ('ssh-key', 'SSH public key'), ('signing-certificate', 'Signing certificate'), ('service-credential', 'Service-specific credential'), ('server-certificate', 'Server certificate'), ('saml-provider', 'SAML provider'), ('oidc-provider', 'OpenID Connect provider'), ('instance', 'EC2 instance'), ('trail', 'CloudTrail trail'), ('anywhere-profile', 'Roles Anywhere profile'), ('trust-anchor', 'Roles Anywhere trust anchor'), ('pod-identity', 'EKS pod identity association'), ('org-root', 'Organization root'), ('org-unit', 'Organizational unit'), ('org-account', 'Account in the organization'), ('scp', 'Service control policy'), ('rcp', 'Resource control policy')], max_length=20),
        ),
        migrations.RunPython(add_sections, migrations.RunPython.noop, elidable=True),
    ]
