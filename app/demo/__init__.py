"""The demonstration: a small support desk whose training set carries defects that are planted openly."""
