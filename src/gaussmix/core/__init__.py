"""The waist of the house: two values between data and models, and the arithmetic they need."""
