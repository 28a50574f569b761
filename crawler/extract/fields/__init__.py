"""Everything beside the text, each with its origin and how sure it is."""
