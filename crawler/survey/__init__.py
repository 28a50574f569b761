"""A look at a site that nobody has described yet: what it announces, which URLs are articles, what to write down.

Nothing is archived: pages are fetched by a `Visit`, read by workers, and what they told is summed up.
"""
