"""Models are called by what they hold; their tables keep their names."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("leaving", "0005_run_engine")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Certificate", "OffboardingCertificate"),
                migrations.AlterModelTable("offboardingcertificate", "leaving_certificate"),
            ]
        )
    ]
