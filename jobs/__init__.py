"""From closed segments to an archive that lasts."""

import config.logs  # noqa: F401 - before anybody else loads structlog, and all that it finds
