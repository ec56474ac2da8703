"""`mlops data use`: a table of the team's own, looked at, written into the settings, and made into endpoint tests."""
