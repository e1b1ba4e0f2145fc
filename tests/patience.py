"""How long a test waits for what comes in a moment on a quiet machine.

A busy one can take minutes for it. The wait costs nothing where the test passes, so it is long everywhere.
"""

from typing import Final

PATIENCE_S: Final = 300
