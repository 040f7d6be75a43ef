"""Which notebooks must run, running them, and handing their results to MyST-NB."""
