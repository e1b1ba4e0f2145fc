"""Add the plainer description of the template of the own password to databases that have the old one."""

from django.db import migrations

from iam.access.templates.shipped_files import ship

SHIPPED = "2bd1352a0afb589bb0b5cf95d7b809afc25c41ca5eb21853e4cf3ae509c5159a"
"""The digest of `shipped/` that this migration adds, see `digest_of_shipped` in the tests of templates: a change of the files needs another migration."""


def take_in(apps, schema_editor):
    ship(
        apps.get_model("access_templates", "Template"),
        apps.get_model("access_templates", "TemplateVersion"),
    )


class Migration(migrations.Migration):

    dependencies = [("access_templates", "0004_ship_plain_words")]

    operations = [migrations.RunPython(take_in, migrations.RunPython.noop)]
