"""Becomes another program that dies with the process that started it: `tether.py PARENT SIGNAL UID GID PROGRAM...`

A server started for a test run must not outlive it, not even when the run is killed with SIGKILL and can
clean up nothing. Linux sends SIGNAL to this process when its parent has gone (prctl PR_SET_PDEATHSIG).
UID and GID are kept where they are negative; the signal is asked for after they changed, because changing
them takes it back.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, signal: int, uid: int, gid: int, program: list[str]) -> None:
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) != 0:
        sys.exit(f"prctl failed: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        sys.exit("the process that started this server has gone")
    os.execv(program[0], program)


if __name__ == "__main__":
    PARENT, SIGNAL, UID, GID = map(int, sys.argv[1:5])
    main(PARENT, SIGNAL, UID, GID, sys.argv[5:])
