"""What every room builds on: checks, colours, pictures, tables, random numbers, names loaded late."""
