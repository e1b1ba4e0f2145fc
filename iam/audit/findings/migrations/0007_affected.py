"""Events say what a finding also affects, and what it no longer affects."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit_findings', '0006_plain_apostrophes'),
    ]

    operations = [
        migrations.AddField(
            model_name='findingevent',
            name='names',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='findingevent',
            name='number',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='findingevent',
            name='kind',
            field=models.CharField(choices=[('opened', 'Opened'), ('fixed', 'Fixed'), ('reopened', 'Opened again'), ('requested', 'Acceptance requested'), ('accepted', 'Accepted'), ('declined', 'Acceptance declined'), ('ended', 'Acceptance ended'), ('severity', 'Severity changed'), ('certainty', 'Certainty changed'), ('affects', 'Also affects'), ('unaffected', 'No longer affects')], max_length=10),
        ),
    ]
