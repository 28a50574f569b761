"""One run of one source: whose turn it is, the crawl in its child process, the uploads beside it, what is left over."""
