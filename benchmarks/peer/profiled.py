"""`oidc-server` under the profiler: SIGUSR1 begins, SIGUSR2 writes the file that is named first.

What ran before, such as the event loop itself, is not counted; so waiting for requests is not.
"""

import cProfile
import signal
import sys

from oidc_server.cli import main

if __name__ == "__main__":
    path = sys.argv.pop(1)
    profile = cProfile.Profile()

    def write(*_: object) -> None:
        profile.disable()
        profile.dump_stats(path)

    signal.signal(signal.SIGUSR1, lambda *_: profile.enable())
    signal.signal(signal.SIGUSR2, write)
    main()
