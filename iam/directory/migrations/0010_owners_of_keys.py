from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("directory", "0009_audit_scope")]

    operations = [
        migrations.AlterField(
            model_name="namedowner",
            name="kind",
            field=models.CharField(
                choices=[("identity", "IAM user or role"), ("key", "Access key"), ("grant", "Grant")],
                max_length=8,
            ),
        ),
    ]
