"""Checkpoints: the facts of a log's commits summed up in layers, so that a reader need not go through all of it.

Never the truth: a layer that is missing, damaged or not understood is left aside, and the log itself is read.
"""
