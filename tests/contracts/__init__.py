"""One suite per port; every implementation passes it, those used only in tests included."""
