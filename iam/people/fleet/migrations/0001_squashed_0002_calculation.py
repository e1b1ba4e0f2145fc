"""All of the migrations up to 0002_calculation at once, for a database that is new."""

import django.db.models.deletion
from django.db import migrations, models

from iam.model_creation import CreateTogether
class Migration(migrations.Migration):

    replaces = [('people_fleet', '0001_first'), ('people_fleet', '0002_calculation')]

    initial = True

    dependencies = [
        ('directory', '0002_appointments'),
        ('mirror', '0014_section_known_since'),
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='HardwareDemand',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('since', models.DateTimeField(auto_now_add=True)),
                    ('set_by', models.CharField(max_length=128)),
                    ('account', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='hardware_demand', to='mirror.account')),
                    ('team', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='hardware_demand', to='directory.team')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('account__isnull', True), ('team__isnull', True), _connector='XOR'), name='hardware_is_demanded_of_one')],
                },
            ),
            migrations.CreateModel(
                name='FleetAccount',
                fields=[
                    ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='fleet', serialize=False, to='mirror.account')),
                    ('writes', models.PositiveBigIntegerField(default=0)),
                    ('revision', models.PositiveBigIntegerField(default=0)),
                    ('demands', models.CharField(blank=True, max_length=32)),
                    ('trees', models.JSONField(default=dict)),
                    ('standing', models.CharField(blank=True, max_length=32)),
                    ('calculated_at', models.DateTimeField()),
                ],
            ),
            migrations.CreateModel(
                name='FleetUser',
                fields=[
                    ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='fleet', serialize=False, to='mirror.entity')),
                    ('administrator', models.PositiveSmallIntegerField(choices=[(0, 'No'), (1, 'Conditional'), (2, 'Yes')])),
                    ('place', models.CharField(max_length=520)),
                    ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mirror.account')),
                ],
                options={
                    'indexes': [models.Index(fields=['place', 'user'], name='fleet_user_by_place'), models.Index(fields=['account', 'place', 'user'], name='fleet_user_in_account'), models.Index(condition=models.Q(('administrator__gt', 0)), fields=['account', 'user'], name='fleet_administrators')],
                },
            ),
        ]),
    ]
