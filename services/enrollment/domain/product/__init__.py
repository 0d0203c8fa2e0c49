"""The product: from the leukapheresis of a participant to the infusion into the same one."""
