"""Results from feeds and files: FHIR R4, HL7 v2, instruments and tables, read to one form and then recorded."""
