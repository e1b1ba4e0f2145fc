"""All of the migrations up to 0008_reason_of_run at once, for a database that is new."""

import django.db.models.deletion
import uuid
from django.db import migrations, models

from iam.model_creation import CreateTogether
class Migration(migrations.Migration):

    replaces = [('people_rotation', '0001_initial'), ('people_rotation', '0002_plain_words'), ('people_rotation', '0003_owning_team'), ('people_rotation', '0004_words_of_stages'), ('people_rotation', '0005_stages_that_wait'), ('people_rotation', '0006_runs'), ('people_rotation', '0007_run_of_rotation'), ('people_rotation', '0008_reason_of_run')]

    initial = True

    dependencies = [
        ('changes', '0007_waiting_of_a_subject'),
        ('directory', '0004_owned_users'),
        ('mirror', '0009_revisions'),
        ('people_links', '0003_rotation_links'),
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='RotationRun',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('state', models.CharField(choices=[('draft', 'Draft'), ('asking', 'Submitting'), ('asked', 'Requested'), ('waiting', 'Waiting for approval'), ('running', 'In progress'), ('done', 'Done'), ('partly', 'Done in part'), ('closed', 'Cancelled')], default='draft', max_length=8)),
                    ('reason', models.CharField(blank=True, max_length=1024)),
                    ('requested_by', models.UUIDField()),
                    ('requested_label', models.CharField(max_length=128)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('source', models.CharField(blank=True, max_length=128)),
                    ('trouble', models.CharField(blank=True, max_length=1024)),
                    ('asked_at', models.DateTimeField(null=True)),
                ],
                options={
                    'indexes': [models.Index(fields=['state', 'created_at'], name='rotation_run_by_state')],
                },
            ),
            migrations.CreateModel(
                name='Rotation',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('new_key_id', models.CharField(blank=True, max_length=128)),
                    ('is_automatic', models.BooleanField(default=True)),
                    ('quiet_days', models.PositiveSmallIntegerField()),
                    ('keep_days', models.PositiveSmallIntegerField()),
                    ('begun_at', models.DateTimeField()),
                    ('stage', models.CharField(choices=[('waiting', 'Not requested yet'), ('asked', 'New key requested'), ('handing', 'Secret available'), ('using', 'Both keys active'), ('deactivating', 'Deactivation of the old key requested'), ('inactive', 'Old key inactive'), ('activating', 'Old key being reactivated'), ('deleting', 'Deletion of the old key requested'), ('ended', 'Ended')], default='waiting', max_length=12)),
                    ('stage_at', models.DateTimeField()),
                    ('outcome', models.CharField(blank=True, choices=[('done', 'Done'), ('refused', 'Could not be requested'), ('not_made', 'No new key was made'), ('unfetched', 'No one got the secret'), ('user_gone', 'The user is gone'), ('key_gone', 'The new key is gone'), ('cancelled', 'Cancelled')], max_length=9)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('sealed_id', models.UUIDField(null=True)),
                    ('issues', models.PositiveSmallIntegerField(default=0)),
                    ('tries', models.PositiveSmallIntegerField(default=0)),
                    ('fetched_at', models.DateTimeField(null=True)),
                    ('quiet_from', models.DateTimeField(null=True)),
                    ('inactive_at', models.DateTimeField(null=True)),
                    ('read_at', models.DateTimeField(null=True)),
                    ('read_trouble', models.CharField(blank=True, max_length=1024)),
                    ('old_state', models.CharField(blank=True, max_length=8)),
                    ('old_used_at', models.DateTimeField(null=True)),
                    ('old_service', models.CharField(blank=True, max_length=64)),
                    ('old_region', models.CharField(blank=True, max_length=32)),
                    ('new_state', models.CharField(blank=True, max_length=8)),
                    ('new_used_at', models.DateTimeField(null=True)),
                    ('new_service', models.CharField(blank=True, max_length=64)),
                    ('new_region', models.CharField(blank=True, max_length=32)),
                    ('told_at', models.DateTimeField(null=True)),
                    ('reminders', models.PositiveSmallIntegerField(default=0)),
                    ('trouble', models.CharField(blank=True, max_length=1024)),
                    ('retry_at', models.DateTimeField(null=True)),
                    ('wanted', models.CharField(blank=True, choices=[('look', 'Ask AWS again'), ('deactivate', 'Deactivate the old key'), ('delete', 'Delete the old key')], max_length=10)),
                    ('wanted_at', models.DateTimeField(null=True)),
                    ('in_spite', models.BooleanField(default=False)),
                    ('agreed', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='changes.change')),
                    ('begun_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.person')),
                    ('change', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='changes.change')),
                    ('discarding', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='changes.change')),
                    ('first', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mirror.entity')),
                    ('link', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people_links.link')),
                    ('old', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mirror.entity')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rotations', to='directory.person')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mirror.entity')),
                    ('wanted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.person')),
                    ('team', models.ForeignKey(help_text='The team that owns the user.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='directory.team')),
                    ('run', models.ForeignKey(db_column='batch', on_delete=django.db.models.deletion.PROTECT, related_name='rotations', to='people_rotation.rotationrun')),
                ],
                options={
                    'indexes': [models.Index(fields=['stage', 'read_at'], name='rotation_to_look_at'), models.Index(fields=['wanted'], name='rotation_wanted'), models.Index(fields=['old'], name='rotation_by_key'), models.Index(fields=['-begun_at', 'id'], name='rotation_newest')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('stage', 'ended'), _negated=True), fields=('user',), name='one_rotation_of_a_user_at_a_time'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('stage', 'ended'), models.Q(('outcome', ''), _negated=True)), models.Q(models.Q(('stage', 'ended'), _negated=True), ('ended_at__isnull', True), ('outcome', '')), _connector='OR'), name='an_ended_rotation_says_how')],
                },
            ),
            migrations.CreateModel(
                name='Happening',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField()),
                    ('act', models.CharField(max_length=16)),
                    ('text', models.CharField(max_length=512)),
                    ('by', models.CharField(max_length=128)),
                    ('change', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='changes.change')),
                    ('rotation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='happenings', to='people_rotation.rotation')),
                ],
                options={
                    'indexes': [models.Index(fields=['rotation', 'at'], name='happening_of_rotation')],
                },
            ),
        ]),
    ]
