"""Speech to text: recordings as models take them, and text of what models make of them. Only a run of such a model comes here."""
