"""All of the migrations up to 0008_names_of_models at once, for a database that is new."""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

from iam.model_creation import CreateTogether

append_only = import_module("iam.journal.migrations.0002_append_only")
text_search = import_module("iam.journal.migrations.0004_text_search")


class Migration(migrations.Migration):
    replaces = [
        ("journal", "0001_initial"),
        ("journal", "0002_append_only"),
        ("journal", "0003_dating_warnings"),
        ("journal", "0004_text_search"),
        ("journal", "0005_anchors_of_verifications"),
        ("journal", "0006_retention"),
        ("journal", "0007_frozen_records"),
        ("journal", "0008_names_of_models"),
    ]

    initial = True

    dependencies = [
        ("mirror", "0005_search_index"),
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='Entry',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('at', models.DateTimeField()),
                    ('kind', models.CharField(max_length=64)),
                    ('actor_id', models.UUIDField(null=True)),
                    ('actor_label', models.CharField(max_length=128)),
                    ('actor_email', models.CharField(blank=True, max_length=254)),
                    ('subject', models.CharField(blank=True, max_length=2048)),
                    ('account_id', models.CharField(blank=True, max_length=12)),
                    ('request_id', models.CharField(blank=True, max_length=64)),
                    ('ip', models.CharField(blank=True, max_length=45)),
                    ('data_json', models.TextField(default='{}')),
                ],
                options={
                    'verbose_name_plural': 'entries',
                    'indexes': [models.Index(fields=['at'], name='entry_at'), models.Index(fields=['kind', '-id'], name='entry_by_kind'), models.Index(fields=['actor_id', '-id'], name='entry_by_actor'), models.Index(fields=['account_id', '-id'], name='entry_by_account')],
                },
            ),
            migrations.CreateModel(
                name='JournalVerification',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('asked_at', models.DateTimeField()),
                    ('began_at', models.DateTimeField(null=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('holds', models.BooleanField(null=True)),
                    ('sequence', models.BigIntegerField(default=0, help_text='The last block that holds.')),
                    ('entries', models.BigIntegerField(default=0)),
                    ('sentence', models.CharField(blank=True, help_text='The first broken place.', max_length=1024)),
                    ('warning', models.CharField(blank=True, help_text='The first of them.', max_length=1024)),
                    ('warnings', models.PositiveIntegerField(default=0, help_text='Dating problems that nobody has acknowledged.')),
                    ('anchor_problem', models.CharField(blank=True, help_text='The first anchor or place that can’t be verified.', max_length=1024)),
                    ('anchors', models.PositiveIntegerField(help_text='Anchors it was checked against.', null=True)),
                    ('records', models.PositiveIntegerField(help_text='Frozen records, such as signed-off reviews, compared with the journal.', null=True)),
                    ('record_problem', models.CharField(blank=True, help_text='The first record that isn’t as the journal says.', max_length=1024)),
                    ('record_problems', models.PositiveIntegerField(default=0)),
                ],
                options={
                    'indexes': [models.Index(fields=['-id'], name='verification_newest')],
                    'db_table': 'journal_verification',
                },
            ),
            migrations.CreateModel(
                name='JournalBlock',
                fields=[
                    ('sequence', models.BigIntegerField(primary_key=True, serialize=False)),
                    ('previous', models.CharField(max_length=64)),
                    ('hash', models.CharField(max_length=64)),
                    ('made_at', models.DateTimeField()),
                    ('count', models.PositiveIntegerField()),
                    ('total', models.BigIntegerField(help_text='Entries in this block and all before it.')),
                    ('highest', models.BigIntegerField(help_text='The highest entry id in this block and all before it.')),
                ],
                options={
                    'indexes': [models.Index(fields=['made_at'], name='block_made_at')],
                    'db_table': 'journal_block',
                },
            ),
            migrations.CreateModel(
                name='JournalLink',
                fields=[
                    ('entry', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='link', serialize=False, to='journal.entry')),
                    ('position', models.PositiveIntegerField()),
                    ('hash', models.CharField(max_length=64)),
                    ('block', models.ForeignKey(on_delete=django.db.models.deletion.DO_NOTHING, related_name='links', to='journal.journalblock')),
                ],
                options={
                    'db_table': 'journal_link',
                },
            ),
            migrations.CreateModel(
                name='JournalCut',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('block', models.BigIntegerField(help_text='Entries in later blocks are all there.')),
                    ('block_hash', models.CharField(max_length=64)),
                    ('removed', models.BigIntegerField(help_text='Entries that are gone, with those of earlier removals.')),
                    ('digest', models.CharField(help_text='SHA-256 over their numbers and hashes, in order.', max_length=64)),
                    ('note', models.TextField()),
                    ('before', models.DateTimeField(help_text='Entries that are older were removed, but for some kinds.')),
                    ('at', models.DateTimeField()),
                    ('count', models.BigIntegerField(help_text='Entries of this removal alone.')),
                    ('export', models.CharField(help_text='The file with what was removed.', max_length=1024)),
                    ('export_sha256', models.CharField(max_length=64)),
                ],
                options={
                    'db_table': 'journal_cut',
                },
            ),
        ]),
        migrations.RunPython(append_only.protect, append_only.expose),
        migrations.RunPython(text_search.create, text_search.drop),
    ]
