"""The HTTP intake: reports that programs post; answered only once they are stored."""
