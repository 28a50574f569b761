"""The views `articles` and `edits`, over tables of the same names as the files': FORMAT.md § 10 says what they have."""

from __future__ import annotations

from crawler.model import GOOD_CLASSES

_GOOD = ", ".join(f"'{one.value}'" for one in sorted(GOOD_CLASSES))

ARTICLES = f"""
SELECT last.source, last.url, last.title, first.captured_at AS first_captured, last.captured_at AS last_revised,
    seen.last_captured, last.number AS revisions, seen.captures,
    CASE WHEN seen.gone_runs >= 2 THEN 'gone' WHEN seen.gone_runs = 1 THEN 'suspected' ELSE 'live' END AS state,
    last.segment, last.n, last.text_digest, last.derivation
FROM revisions last
JOIN (SELECT source, url, max(number) AS number FROM revisions GROUP BY ALL) newest USING (source, url, number)
JOIN revisions first ON first.source = last.source AND first.url = last.url AND first.number = 1
LEFT JOIN (
    SELECT c.source, c.url, count(*) AS captures, max(c.captured_at) AS last_captured,
        count(DISTINCT c.run) FILTER (c.captured_at > coalesce(told.at, '-infinity') AND
            (c.status IN (404, 410, 451) OR c.class IN ('soft-404', 'blocked'))) AS gone_runs
    FROM captures c LEFT JOIN (
        SELECT source, url, max(captured_at) AS at FROM captures
        WHERE class IN ({_GOOD}) OR (status = 304 AND revisit_segment IS NOT NULL) GROUP BY ALL
    ) told USING (source, url)
    GROUP BY ALL
) seen ON seen.source = last.source AND seen.url = last.url
"""  # noqa: S608 - words of ours

EDITS = """
SELECT new.source, new.url, new.number, old.captured_at AS before_at, new.captured_at AS after_at,
    old.title AS before_title, new.title AS after_title,
    coalesce(again.text, was.text) AS before, now.text AS after,
    coalesce(again.derivation, was.derivation) IS NOT DISTINCT FROM now.derivation AS same_rules,
    old.segment AS before_segment, old.n AS before_n, new.segment AS after_segment, new.n AS after_n
FROM revisions new
JOIN revisions old ON old.source = new.source AND old.url = new.url AND old.number = new.number - 1
LEFT JOIN snapshots now ON now.source = new.source AND now.url = new.url AND now.segment = new.segment
    AND now.n = new.n AND now.native
LEFT JOIN snapshots was ON was.source = old.source AND was.url = old.url AND was.segment = old.segment
    AND was.n = old.n AND was.native
LEFT JOIN snapshots again ON again.source = old.source AND again.url = old.url AND again.segment = old.segment
    AND again.n = old.n AND NOT again.native AND again.derivation = new.derivation
    AND old.derivation IS DISTINCT FROM new.derivation
"""

VIEWS = {"articles": ARTICLES, "edits": EDITS}
