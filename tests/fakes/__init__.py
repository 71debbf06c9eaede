"""Stores in plain memory that keep the same promises as the real ones, and stores that fail at a chosen commit."""
