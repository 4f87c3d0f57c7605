"""What makes the data that ships with mmai; run by hand, from a checkout."""
