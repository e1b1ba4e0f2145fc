"""Single sign-on: validates what an identity provider says before anyone is signed in."""
