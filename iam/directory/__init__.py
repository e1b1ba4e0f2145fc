"""Who is who, apart from any AWS account: people, teams and what they may do."""
