"""Covered and consistent: near rows ask the same and support the expected output, and the model fails all the same.

**How it is decided.** What is neither out of distribution nor contradicted is hard. Why it is hard is read
against the rows of the same task: number of steps and calculations in the expected output, numbers, conditions
and references in the prompt, two groups of answers that are nearly as near, few rows around it. The finding
lists what stands out, each with its percentile.

**What to do.** Teach the steps with worked answers, order the mixture from easy to hard and weight this kind
more; more rank or another epoch come last.
"""
