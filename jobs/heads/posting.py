"""The process that posts: `python -m jobs.heads.posting`. Orders come on stdin, an answer for each goes to stdout.

Apart, since nothing but the end of a process stops a server that hangs: whoever started this one kills it.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

_SECONDS = 20
"""For a connection, and for each answer of it."""
_LONGEST_SECONDS = 300
"""By then this process ends, if whoever started it cannot end it any more."""
MAX_ANSWER_BYTES = 64 * 1024


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows nothing: what was to be posted would become a GET."""

    def redirect_request(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - another's signature
        return None


def main() -> None:
    """Post what stdin orders; answer as each is done; leave at once, whatever still hangs."""
    signal.alarm(_LONGEST_SECONDS)
    orders = json.load(sys.stdin)
    with ThreadPoolExecutor(max(1, min(8, len(orders)))) as pool:
        work = {pool.submit(_post, order): number for number, order in enumerate(orders)}
        for future in as_completed(work):
            sys.stdout.write(json.dumps({"number": work[future], **future.result()}) + "\n")
            sys.stdout.flush()
    os._exit(0)


def _post(order: dict[str, Any]) -> dict[str, Any]:
    """Return `reason` (`None`: it was taken) and, in base64, what was answered."""
    try:
        request = urllib.request.Request(  # noqa: S310 - checked to be http(s)
            order["address"],
            data=base64.b64decode(order["body"]),
            headers={"User-Agent": "ofrecord", **order["headers"]},
        )
        opener = urllib.request.build_opener(_NoRedirects)
        with opener.open(request, timeout=_SECONDS) as answer:
            body = answer.read(MAX_ANSWER_BYTES + 1)
    except urllib.error.HTTPError as error:
        error.close()
        return {"reason": f"answered with status {error.code}", "body": None}
    except urllib.error.URLError as error:
        return {"reason": f"cannot be reached: {type(error.reason).__name__}", "body": None}
    except Exception as error:  # noqa: BLE001 - hostile answers; told by its kind alone: texts may show the address
        return {"reason": type(error).__name__, "body": None}
    if len(body) > MAX_ANSWER_BYTES:
        return {"reason": f"answered with more than {MAX_ANSWER_BYTES} bytes", "body": None}
    return {"reason": None, "body": base64.b64encode(body).decode()}


if __name__ == "__main__":
    main()
