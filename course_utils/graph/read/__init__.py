"""From autograd to plain data: one walk, then names, values, modules and gradients by number."""
