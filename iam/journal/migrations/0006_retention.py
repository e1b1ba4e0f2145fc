"""A table of what the retention removed, and hashes that may outlive their entries."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('journal', '0005_anchors_of_verifications'),
    ]

    operations = [
        migrations.AlterField(
            model_name='link',
            name='entry',
            field=models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='link', serialize=False, to='journal.entry'),
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
            options={'db_table': 'journal_cut'},
        ),
    ]
