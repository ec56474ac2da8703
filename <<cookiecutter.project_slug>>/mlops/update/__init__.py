"""`mlops update`: take a newer template, and keep every edit.

The template is rendered twice with this repository's answers: as it was when this repository took it, and as it is now.
git merges what changed between the two into the repository's own branch, with the first as the base. Only contents
count, so histories that were squashed, rebased or tidied do not matter.
"""
