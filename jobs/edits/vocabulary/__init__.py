"""Words that carry meaning of their own, in the languages that the press of the world is mostly written in. Data."""
