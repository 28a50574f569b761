"""Files of other tools → the archive: which there are, how far each was read, and the run that takes them in."""
