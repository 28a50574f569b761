"""Tells people of changes in the sources' health, by mail, chat and webhook, and somebody else that we are alive."""
