"""Add the template own-password to databases that were made before it was shipped."""

from django.db import migrations

from iam.access.templates.shipped_files import ship


def take_in(apps, schema_editor):
    ship(
        apps.get_model("access_templates", "Template"),
        apps.get_model("access_templates", "TemplateVersion"),
    )


class Migration(migrations.Migration):

    dependencies = [("access_templates", "0002_ship")]

    operations = [migrations.RunPython(take_in, migrations.RunPython.noop)]
