"""What an operator does beside serving: backup, restore, and looking for what is unsound."""
