"""The command with the gate held open, in a process of its own: for nights that are killed after the check, or run beside others."""

import deungdae
from tests.signals.worlds import open_gate

if __name__ == "__main__":
    with open_gate():
        deungdae.main()
