"""What users get: text, JSON, JUnit, SARIF and HTML."""
