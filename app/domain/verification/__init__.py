"""Is the case fixed, and was anything else forgotten?"""
