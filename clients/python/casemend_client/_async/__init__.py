"""The client for asyncio, from which ``scripts/generate.py`` writes the one without."""
