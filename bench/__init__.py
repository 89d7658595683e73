"""What a call costs: Portunus with everything on, beside a direct call and a bare pass-through, in one run."""
