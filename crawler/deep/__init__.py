"""Deep discovery: old sitemaps and dated or numbered lists of a publisher's own site, followed back within a budget."""
