"""Models are called by what they hold; their tables keep their names."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("linking", "0002_plain_words")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Ways", "MatchSettings"),
                migrations.AlterModelTable("matchsettings", "linking_ways"),
                migrations.RenameModel("Sign", "UserMatch"),
                migrations.AlterModelTable("usermatch", "linking_sign"),
                migrations.RenameModel("Apart", "ExcludedMatch"),
                migrations.AlterModelTable("excludedmatch", "linking_apart"),
                migrations.RenameModel("Worked", "MatchedAccount"),
                migrations.AlterModelTable("matchedaccount", "linking_worked"),
            ]
        )
    ]
