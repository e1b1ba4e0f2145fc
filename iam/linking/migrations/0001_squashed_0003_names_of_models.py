"""All of the migrations up to 0003_names_of_models at once, for a database that is new."""

import django.db.models.deletion
import iam.linking.models
from django.db import migrations, models

from iam.model_creation import CreateTogether


class Migration(migrations.Migration):
    replaces = [
        ("linking", "0001_initial"),
        ("linking", "0002_plain_words"),
        ("linking", "0003_names_of_models"),
    ]

    initial = True

    dependencies = [
        ("directory", "0003_ties"),
        ("mirror", "0009_revisions"),
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='MatchSettings',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('tag_keys', models.JSONField(default=iam.linking.models.first_tag_keys)),
                    ('by_address', models.BooleanField(default=True)),
                    ('version', models.PositiveIntegerField(default=1)),
                    ('people_until', models.DateTimeField(help_text='Until when people who came were looked at.', null=True)),
                ],
                options={
                    'verbose_name_plural': 'ways',
                    'db_table': 'linking_ways',
                },
            ),
            migrations.CreateModel(
                name='MatchedAccount',
                fields=[
                    ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='mirror.account')),
                    ('revision', models.PositiveBigIntegerField(default=0)),
                    ('ways', models.PositiveIntegerField(default=0)),
                ],
                options={
                    'db_table': 'linking_worked',
                },
            ),
            migrations.CreateModel(
                name='NameRule',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('user_name', models.CharField(max_length=64)),
                    ('address', models.CharField(max_length=64)),
                    ('added_by', models.CharField(max_length=128)),
                    ('added_at', models.DateTimeField(auto_now_add=True)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('user_name', 'address'), name='one_name_rule_of_a_kind')],
                },
            ),
            migrations.CreateModel(
                name='ExcludedMatch',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('why', models.CharField(blank=True, max_length=1000)),
                    ('said_by', models.CharField(max_length=128)),
                    ('at', models.DateTimeField(auto_now_add=True)),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='apart', to='directory.person')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='apart', to='mirror.entity')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('user', 'person'), name='apart_once')],
                    'db_table': 'linking_apart',
                },
            ),
            migrations.CreateModel(
                name='UserMatch',
                fields=[
                    ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='sign', serialize=False, to='mirror.entity')),
                    ('login', models.CharField(max_length=128)),
                    ('address', models.CharField(blank=True, max_length=254)),
                    ('standing', models.CharField(choices=[('nobody', 'Unmatched'), ('known', 'One person'), ('ambiguous', 'Several people fit the same rule'), ('conflict', 'Tags and rules disagree')], default='nobody', max_length=12)),
                    ('how', models.CharField(blank=True, choices=[('hand', 'Linked by hand'), ('tag', 'Tag'), ('address', 'User name is the email address'), ('rule', 'Name rule')], max_length=8)),
                    ('words', models.CharField(blank=True, max_length=256)),
                    ('said', models.JSONField(default=list)),
                    ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mirror.account')),
                    ('former', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='directory.person')),
                    ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='signs', to='directory.person')),
                ],
                options={
                    'indexes': [models.Index(fields=['login', 'user'], name='sign_by_login'), models.Index(condition=models.Q(('address', ''), _negated=True), fields=['address'], name='sign_by_address'), models.Index(fields=['standing', 'login', 'user'], name='sign_by_standing'), models.Index(fields=['account', 'standing'], name='sign_by_account')],
                    'db_table': 'linking_sign',
                },
            ),
        ]),
    ]
