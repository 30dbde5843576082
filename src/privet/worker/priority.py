"""Which process goes first where the machine has too little for all.

Belongs here: asking the kernel to let others go before this one. Does not belong here: leaving work out (ingest, scene).
"""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

AUTOGROUP = Path("/proc/self/autogroup")
ATTEMPTS = 20
APART_S = 0.11              # the kernel takes one such wish in a tenth of a second from all of a machine's processes together


def stand_back(threads: int, group: int) -> None:
    """Let others go first, from now on and with every thread that comes.

    threads: by so much nicer is each thread to those of the same scheduling group. group: by so much nicer is the group itself, 0 to 19:
    where the kernel groups tasks by session (sched(7), "The autogroup feature"), the niceness of threads says nothing between one session
    and another, and every session gets the same, whatever it does. Without that feature `group` does nothing.

    A process that does not lead its session leaves the group as it is, for others are in it. To be called while the process may still be
    dumped: else only root may write there.
    """
    os.nice(threads)
    for _ in range(ATTEMPTS if os.getsid(0) == os.getpid() else 0):
        try:
            AUTOGROUP.write_text(str(group))
        except OSError as error:
            if error.errno != errno.EAGAIN:
                return                      # no such feature, or a sandbox that hides it: niceness of threads is what is left
            time.sleep(APART_S)
        else:
            return
