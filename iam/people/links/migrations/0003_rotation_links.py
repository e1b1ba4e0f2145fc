"""Links to the secret of a new access key."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One purpose more; the table stays as it is."""

    dependencies = [("people_links", "0002_checked_links")]

    operations = [
        migrations.AlterField(
            model_name="link",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("mfa", "Add an MFA device"),
                    ("invitation", "Invitation"),
                    ("rotation", "A new access key"),
                ],
                max_length=16,
            ),
        ),
    ]
