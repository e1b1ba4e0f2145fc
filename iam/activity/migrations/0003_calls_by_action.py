"""The sum of the days of each action, filled from the days that there are."""

import django.db.models.deletion
from django.db import migrations, models

FILL = """
INSERT INTO activity_action (caller_id, service, action, calls, errors, denied, first_at, last_at)
SELECT caller_id, service, action, sum(calls), sum(errors), sum(denied), min(first_at), max(last_at)
FROM activity_day GROUP BY caller_id, service, action
"""


class Migration(migrations.Migration):

    dependencies = [
        ('activity', '0002_changes_of_iam'),
    ]

    operations = [
        migrations.CreateModel(
            name='CallerAction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('service', models.CharField(max_length=64)),
                ('action', models.CharField(max_length=128)),
                ('calls', models.PositiveBigIntegerField()),
                ('errors', models.PositiveBigIntegerField(help_text='Calls that failed, denied ones included.')),
                ('denied', models.PositiveBigIntegerField()),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
                ('caller', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='actions', to='activity.trailcaller')),
            ],
            options={
                'db_table': 'activity_action',
                'constraints': [models.UniqueConstraint(fields=('caller', 'service', 'action'), name='one_row_per_caller_action')],
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
