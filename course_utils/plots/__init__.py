"""Each view with its plot and its explorer: a drawing that stands still, and the same drawing under sliders."""
