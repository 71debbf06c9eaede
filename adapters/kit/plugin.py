"""The pytest plugin, found by its entry point."""
