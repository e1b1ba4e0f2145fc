from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit_findings', '0004_told_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='findingrun',
            name='writes',
            field=models.BigIntegerField(null=True),
        ),
    ]
