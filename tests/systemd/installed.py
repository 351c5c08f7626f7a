"""Where `make install` has put what is tested."""

import os
from pathlib import Path

PROGRAM = Path(os.environ["SBINDIR"]) / "sallyport"
CONFIG = Path(os.environ["SYSCONFDIR"]) / "sallyport"
MANUALS = Path(os.environ["MANDIR"])
EXAMPLE_SOCKET = Path(os.environ["EXAMPLEDIR"]) / "sallyport.socket"
UNITS = Path(os.environ["UNITDIR"])
