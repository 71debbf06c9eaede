"""The processes of adapters: started, asked, bounded, ended; no driver can hurt the node.

For: the poller and the lander, which ask in a thread of their own; the command line.
Hides: pipes, frames, time and memory limits, what a process dies of.
Who may call: rooms above, from a thread that may block; one thread at a time asks a process.
Promises: every act ends, with an answer or with a trouble; a process that says what is no frame, says nothing for too
    long or takes too much memory is killed; nothing of its settings is shown; it does not outlive us.
Fails: `Hold(ADAPTER)` for what a person must mend, `Retry(ADAPTER_DOWN)` for what mends itself, `Retry(ADAPTER_ENDED)`
    for a process that ended or was killed.
"""

from node.hosts.child import Child, Limits, Told

__all__ = ["Child", "Limits", "Told"]
