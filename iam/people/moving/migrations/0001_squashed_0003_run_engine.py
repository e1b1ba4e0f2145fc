"""All of the migrations up to 0003_run_engine at once, for a database that is new."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('moving', '0001_first'), ('moving', '0002_status_words'), ('moving', '0003_run_engine')]

    initial = True

    dependencies = [
        ('blueprints', '0001_first'),
        ('changes', '0006_notes_of_a_set'),
    ]

    operations = [
        migrations.CreateModel(
            name='Move',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('person_id', models.UUIDField(null=True)),
                ('name', models.CharField(max_length=256)),
                ('users', models.JSONField(default=list)),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('asking', 'Submitting'), ('asked', 'Requested'), ('waiting', 'Waiting for approval'), ('running', 'In progress'), ('done', 'Done'), ('partly', 'Done in part'), ('closed', 'Cancelled')], default='waiting', max_length=8)),
                ('summary', models.JSONField(default=list)),
                ('gives', models.JSONField(default=dict)),
                ('gains', models.PositiveIntegerField(default=0)),
                ('loses', models.PositiveIntegerField(default=0)),
                ('reason', models.CharField(blank=True, max_length=1024)),
                ('requested_by', models.UUIDField()),
                ('requested_label', models.CharField(max_length=128)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('settled_at', models.DateTimeField(null=True)),
                ('change_set', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='changes.changeset')),
                ('former', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='blueprints.blueprintversion')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='blueprints.blueprintversion')),
            ],
            options={
                'indexes': [models.Index(fields=['-created_at', '-id'], name='move_newest'), models.Index(fields=['state', 'created_at'], name='move_by_state'), models.Index(fields=['person_id'], name='move_by_person')],
            },
        ),
    ]
