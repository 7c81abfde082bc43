"""Is it right on the kinds of data that people have? Sixteen kinds, English and Chinese, in one training set.

What is planted, row by row and case by case, says ``planting``; the texts stand in ``kinds``.
"""
