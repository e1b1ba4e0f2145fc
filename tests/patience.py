"""How long a test waits for what comes in a moment on a quiet machine.

A busy one may take a minute for it. The wait costs nothing where the test passes, so it is long everywhere.
"""

from typing import Final

PATIENCE_S: Final = 120
