"""People cut out of a data set's pictures beforehand, so that training decodes no full picture."""
