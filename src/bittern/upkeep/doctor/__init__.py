"""What is unsound in an installation: facts are gathered, then judged by pure functions."""
