"""Trails are a kind of entity, and each account gets the row of their section."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models


def add_section(apps: Any, schema_editor: Any) -> None:
    """Add the rows that are not there."""
    account, section = apps.get_model("mirror", "Account"), apps.get_model("mirror", "Section")
    rows = [section(account=one, name="trails") for one in account.objects.all()]
    section.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


class Migration(migrations.Migration):

    dependencies = [
        ('mirror', '0015_account_images'),
    ]

    operations = [
        migrations.AlterField(
            model_name='entity',
            name='kind',
            field=models.CharField(choices=[('user', 'IAM user'), ('group', 'IAM group'), ('role', 'IAM role'), ('policy', 'Managed policy'), ('instance-profile', 'Instance profile'), ('access-key', 'Access key'), ('mfa-device', 'MFA device'), ('ssh-key', 'SSH public key'), ('signing-certificate', 'Signing certificate'), ('service-credential', 'Service-specific credential'), ('server-certificate', 'Server certificate'), ('saml-provider', 'SAML provider'), ('oidc-provider', 'OpenID Connect provider'), ('instance', 'EC2 instance'), ('trail', 'CloudTrail trail'), ('org-root', 'Organization root'), ('org-unit', 'Organizational unit'), ('org-account', 'Account in the organization'), ('scp', 'Service control policy'), ('rcp', 'Resource control policy')], max_length=20),
        ),
        migrations.AlterField(
            model_name='entitystate',
            name='kind',
            field=models.CharField(choices=[('user', 'IAM user'), ('group', 'IAM group'), ('role', 'IAM role'), ('policy', 'Managed policy'), ('instance-profile', 'Instance profile'), ('access-key', 'Access key'), ('mfa-device', 'MFA device'), ('ssh-key', 'SSH public key'), ('signing-certificate', 'Signing certificate'), ('service-credential', 'Service-specific credential'), ('server-certificate', 'Server certificate'), ('saml-provider', 'SAML provider'), ('oidc-provider', 'OpenID Connect provider'), ('instance', 'EC2 instance'), ('trail', 'CloudTrail trail'), ('org-root', 'Organization root'), ('org-unit', 'Organizational unit'), ('org-account', 'Account in the organization'), ('scp', 'Service control policy'), ('rcp', 'Resource control policy')], max_length=20),
        ),
        migrations.RunPython(add_section, migrations.RunPython.noop, elidable=True),
    ]
