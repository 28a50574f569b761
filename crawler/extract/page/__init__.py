"""A page as it is parsed: its tree, what class names say, what it states of itself, and what rules pick in it."""
