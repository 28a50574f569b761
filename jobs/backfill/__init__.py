"""A source's past, from web archives into ours: a run whose process asks them in place of the publisher."""
