"""The rules of tumour response, without input or output."""
