"""Add the plainer titles and descriptions of the shipped templates to databases that have the old ones."""

from django.db import migrations

from iam.access.templates.shipped_files import ship

SHIPPED = "fa022b7b45e11fe67d58b6676cf3e6c09728d7e0e0b633fa86d288b1eacf4b05"
"""The digest of `shipped/` that this migration adds, see `digest_of_shipped` in the tests of templates: a change of the files needs another migration."""


def take_in(apps, schema_editor):
    ship(
        apps.get_model("access_templates", "Template"),
        apps.get_model("access_templates", "TemplateVersion"),
    )


class Migration(migrations.Migration):

    dependencies = [("access_templates", "0003_ship_own_password")]

    operations = [migrations.RunPython(take_in, migrations.RunPython.noop)]
