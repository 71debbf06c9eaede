"""The soak: kills, a day's outage, worlds and power cuts at full size, and a signed report (`make soak`)."""
