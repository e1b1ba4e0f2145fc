"""What Gatehouse reads from AWS: in bulk first, per entity only where AWS leaves no other way."""
