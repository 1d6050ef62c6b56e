"""From plain data to words: names and tables, operations and their derivatives, the steps of a backward pass."""
