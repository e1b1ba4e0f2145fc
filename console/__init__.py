"""The web pages, commands and HTTP endpoints of Gatehouse; domain rules live in `iam`."""
