"""The article's text: boxes marked, the body found, its blocks read and trimmed, headline and standfirst."""
