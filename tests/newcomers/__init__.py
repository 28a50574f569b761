"""Sites that nobody has described yet, each unlike the others, with the truth: what `sources add` is tried on.

All of it was written for this project: no page and no word is of a real site.
"""
