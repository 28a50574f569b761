"""What runs and the daemon come to, as figures for Prometheus: `observer` and `server` in a daemon, else `textfile`.

The package itself imports nothing, so that a crawl without figures does not pay for prometheus_client.
"""
