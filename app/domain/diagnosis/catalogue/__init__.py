"""Causes and remedies, one table each."""
