"""Models are called by what they hold; their tables keep their names."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("access_escalating", "0001_first")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Calculation", "EscalationCalculation"),
                migrations.AlterModelTable("escalationcalculation", "access_escalating_calculation"),
                migrations.RenameModel("Finding", "EscalationFinding"),
                migrations.AlterModelTable("escalationfinding", "access_escalating_finding"),
                migrations.RenameModel("Opening", "EscalationOpening"),
                migrations.AlterModelTable("escalationopening", "access_escalating_opening"),
                migrations.RenameModel("Question", "EscalationQuestion"),
                migrations.AlterModelTable("escalationquestion", "access_escalating_question"),
            ]
        )
    ]
