-- Actions of rules may carry credentials, in a header first of all: they are sealed from now on.

ALTER TABLE rule ADD COLUMN actions BLOB; -- NULL: an earlier version wrote the rule, with them in record
