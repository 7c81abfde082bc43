"""Rows that are added where the diagnosis found gaps."""
