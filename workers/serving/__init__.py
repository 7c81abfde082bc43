"""The process that answers questions to adapters: a warm model, and an HTTP face that only the API reaches."""
