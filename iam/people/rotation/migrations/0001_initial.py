"""The tables of rotations."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('changes', '0007_waiting_of_a_subject'),
        ('directory', '0003_ties'),
        ('mirror', '0009_revisions'),
        ('people_links', '0003_rotation_links'),
    ]

    operations = [
        migrations.CreateModel(
            name='Rotation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('batch', models.UUIDField(help_text='Those that were begun together.')),
                ('new_key_id', models.CharField(blank=True, max_length=128)),
                ('is_automatic', models.BooleanField(default=True)),
                ('quiet_days', models.PositiveSmallIntegerField()),
                ('keep_days', models.PositiveSmallIntegerField()),
                ('reason', models.CharField(max_length=1000)),
                ('begun_at', models.DateTimeField()),
                ('stage', models.CharField(choices=[('waiting', 'To be asked for'), ('asked', 'New key asked for'), ('handing', 'Secret waits'), ('using', 'Both keys active'), ('deactivating', 'Old key being deactivated'), ('inactive', 'Old key inactive'), ('activating', 'Old key being activated'), ('deleting', 'Old key being deleted'), ('ended', 'Ended')], default='waiting', max_length=12)),
                ('stage_at', models.DateTimeField()),
                ('outcome', models.CharField(blank=True, choices=[('done', 'Done'), ('refused', 'Could not be asked for'), ('not_made', 'No new key was made'), ('unfetched', 'Nobody fetched the secret'), ('user_gone', 'The user is gone'), ('key_gone', 'The new key is gone'), ('cancelled', 'Cancelled')], max_length=9)),
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
            ],
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
        ),
        migrations.AddIndex(
            model_name='rotation',
            index=models.Index(fields=['stage', 'read_at'], name='rotation_to_look_at'),
        ),
        migrations.AddIndex(
            model_name='rotation',
            index=models.Index(fields=['wanted'], name='rotation_wanted'),
        ),
        migrations.AddIndex(
            model_name='rotation',
            index=models.Index(fields=['batch'], name='rotation_by_batch'),
        ),
        migrations.AddIndex(
            model_name='rotation',
            index=models.Index(fields=['old'], name='rotation_by_key'),
        ),
        migrations.AddIndex(
            model_name='rotation',
            index=models.Index(fields=['-begun_at', 'id'], name='rotation_newest'),
        ),
        migrations.AddConstraint(
            model_name='rotation',
            constraint=models.UniqueConstraint(condition=models.Q(('stage', 'ended'), _negated=True), fields=('user',), name='one_rotation_of_a_user_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='rotation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('stage', 'ended'), models.Q(('outcome', ''), _negated=True)), models.Q(models.Q(('stage', 'ended'), _negated=True), ('ended_at__isnull', True), ('outcome', '')), _connector='OR'), name='an_ended_rotation_says_how'),
        ),
        migrations.AddIndex(
            model_name='happening',
            index=models.Index(fields=['rotation', 'at'], name='happening_of_rotation'),
        ),
    ]
