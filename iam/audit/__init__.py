"""What an audit asks: findings, and later frameworks, reviews and evidence. Only the console imports it."""
