"""From a file that holds a picture to what one input of a model takes of it."""
