"""What tests use in place of the outside world. Nothing here is part of the server."""
