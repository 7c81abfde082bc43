"""What the model is trained on, in which shares and in which order."""
