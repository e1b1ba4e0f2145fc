"""Add the template own-password to databases that were made before it was shipped."""

from django.db import migrations

from iam.access.templates.shipping import ship

SHIPPED = "80716c2ce7e96f51a0785449ab2cf5f787aacea8a821fee2fb15a03518bd60ac"
"""The digest of `shipped/` that this migration adds, see `shipping.digest_of_shipped`: a change of the files needs another migration."""


def take_in(apps, schema_editor):
    ship(
        apps.get_model("access_templates", "Template"),
        apps.get_model("access_templates", "TemplateVersion"),
    )


class Migration(migrations.Migration):

    dependencies = [("access_templates", "0002_ship")]

    operations = [migrations.RunPython(take_in, migrations.RunPython.noop)]
