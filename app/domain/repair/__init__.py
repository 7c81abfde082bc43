"""What to change in a training set, why, and how the change is applied."""
