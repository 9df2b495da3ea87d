"""The AWS front, derived from the service model."""
