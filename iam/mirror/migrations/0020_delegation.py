"""Delegation requests are a kind of entity, and each account gets the rows of the sections about them and
about outbound federation.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations, models


def add_sections(apps: Any, schema_editor: Any) -> None:
    """Add the rows that are not there."""
    account, section = apps.get_model("mirror", "Account"), apps.get_model("mirror", "Section")
    names = ("outbound_federation", "delegation_requests")
    rows = [section(account=one, name=name) for one in account.objects.all() for name in names]
    section.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


class Migration(migrations.Migration):

    dependencies = [
        ('mirror', '0019_workload_roles'),
    ]

    operations = [
        migrations.AlterField(
            model_name='entity',
            name='kind',
            field=models.CharField(choices=[('user', 'IAM user'), ('group', 'IAM group'), ('role', 'IAM role'), ('policy', 'Managed policy'), ('instance-profile', 'Instance profile'), ('access-key', 'Access key'), ('mfa-device', 'MFA device'), ('ssh-key', 'SSH public key'), ('signing-certificate', 'Signing certificate'), ('service-credential', 'Service-specific credential'), ('server-certificate', 'Server certificate'), ('saml-provider', 'SAML provider'), ('oidc-provider', 'OpenID Connect provider'), ('instance', 'EC2 instance'), ('trail', 'CloudTrail trail'), ('anywhere-profile', 'Roles Anywhere profile'), ('trust-anchor', 'Roles Anywhere trust anchor'), ('pod-identity', 'EKS pod identity association'), ('delegation-request', 'Delegation request'), ('org-root', 'Organization root'), ('org-unit', 'Organizational unit'), ('org-account', 'Account in the organization'), ('scp', 'Service control policy'), ('rcp', 'Resource control policy')], max_length=20),
        ),
        migrations.AlterField(
            model_name='entitystate',
            name='kind',
            field=models.CharField(choices=[('user', 'IAM user'), ('group', 'IAM group'), ('role', 'IAM role'), ('policy', 'Managed policy'), ('instance-profile', 'Instance profile'), ('access-key', 'Access key'), ('mfa-device', 'MFA device'), ('ssh-key', 'SSH public key'), ('signing-certificate', 'Signing certificate'), ('service-credential', 'Service-specific credential'), ('server-certificate', 'Server certificate'), ('saml-provider', 'SAML provider'), ('oidc-provider', 'OpenID Connect provider'), ('instance', 'EC2 instance'), ('trail', 'CloudTrail trail'), ('anywhere-profile', 'Roles Anywhere profile'), ('trust-anchor', 'Roles Anywhere trust anchor'), ('pod-identity', 'EKS pod identity association'), ('delegation-request', 'Delegation request'), ('org-root', 'Organization root'), ('org-unit', 'Organizational unit'), ('org-account', 'Account in the organization'), ('scp', 'Service control policy'), ('rcp', 'Resource control policy')], max_length=20),
        ),
        migrations.RunPython(add_sections, migrations.RunPython.noop, elidable=True),
    ]
