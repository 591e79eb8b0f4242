"""The words of Tierline: instants, tiers, policy and the decision contract; pure, no framework."""
