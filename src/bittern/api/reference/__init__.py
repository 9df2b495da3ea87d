"""The reference of the API, made from the model when it is asked for: it is never out of date."""
