"""People, teams and their rights in Gatehouse, independent of AWS accounts."""
