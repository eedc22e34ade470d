"""The formats of logs: each reader adds the events of a source to the table, and says whether it knows a log."""
