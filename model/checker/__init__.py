"""The engines that check a model, whichever it is."""
