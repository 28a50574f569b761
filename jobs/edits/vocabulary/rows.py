"""Tables of words as text: a row for each language, its code first; a row that begins with a space goes on."""

from __future__ import annotations


def read_rows(table: str) -> dict[str, list[str]]:
    """Return the words of each language in *table*."""
    rows = [row.split() for row in table.replace("\n ", " ").strip().splitlines()]
    return {row[0]: row[1:] for row in rows}


def read_phrases(table: str) -> dict[str, list[str]]:
    """Return the phrases of each language in *table*, which has a row for each."""
    phrases: dict[str, list[str]] = {}
    for row in table.strip().splitlines():
        language, _, phrase = row.partition(" ")
        phrases.setdefault(language, []).append(phrase)
    return phrases


def read_pairs(table: str) -> dict[str, dict[str, str]]:
    """Return the `word=value` of each language in *table*."""
    return {language: dict(pair.split("=", 1) for pair in pairs) for language, pairs in read_rows(table).items()}
