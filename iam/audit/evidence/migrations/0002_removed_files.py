"""Says when the file of a pack was deleted, and by whom."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [('audit_evidence', '0001_initial')]

    operations = [
        migrations.AddField(
            model_name='evidencepack',
            name='removed_at',
            field=models.DateTimeField(help_text='When the file was deleted.', null=True),
        ),
        migrations.AddField(
            model_name='evidencepack',
            name='removed_name',
            field=models.CharField(blank=True, max_length=128),
        ),
    ]
