"""The modelling language: declared fields, actions and properties, run on values or traced into formulas."""
